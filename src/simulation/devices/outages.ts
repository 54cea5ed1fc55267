import { InventoryUnavailable } from "../../control/inventory.ts";

/** Away: nothing is done. AnswerLost: it is done, and nobody hears of it (rule I8). */
export type Outage = "None" | "Away" | "AnswerLost";

/** What has no answer to lose. */
const ALWAYS: readonly (string | symbol)[] = ["onChange", "close"];

/** An inventory that is away, or whose answers are lost, as long as `outage` says so. */
export function withOutages<Port extends object>(inventory: Port, outage: () => Outage): Port {
  return new Proxy(inventory, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || ALWAYS.includes(name)) return typeof value === "function" ? value.bind(target) : value;
      return async (...given: unknown[]): Promise<unknown> => {
        const now = outage();
        const answer: unknown = now === "Away" ? undefined : await Reflect.apply(value, target, given);
        if (now !== "None") throw new InventoryUnavailable(`the inventory did not answer to ${String(name)}`);
        return answer;
      };
    },
  });
}
