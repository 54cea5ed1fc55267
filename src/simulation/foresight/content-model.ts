import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../../core/decision.ts";
import type { Surroundings } from "./pop-brakes.ts";
import { iso, type PopLedger } from "./pop-ledger.ts";
import { frozenAt } from "./pop-window.ts";

/** Content is loaded in the running data plane, the first node is looked at for a minute; then the others follow within seconds each. */
const CANARY = 60_000;
const LOAD = 2_000;

/** Content of one PoP as the forecast moves it (rule P15): no window, no grant; freezes and pauses hold it. */
export class ContentModel {
  readonly #of: PopLedger;

  constructor(of: PopLedger) {
    this.#of = of;
  }

  step(now: Instant, { fleet, window, assigned }: Surroundings): Instant | undefined {
    const { pop, status, total } = this.#of;
    const how = pop.spec.content;
    const wanted = how?.version ?? assigned.content?.version;
    if (how === undefined || wanted === undefined || pop.metadata.deletionTimestamp !== undefined) return undefined;
    const content: NonNullable<PopClusterStatus["content"]> = status.content ?? {};
    if (content.current === wanted || content.failed?.some(({ version }) => version === wanted)) return undefined;
    const ordered = how.version === undefined && assigned.content?.order !== "Go";
    if (pop.spec.paused || fleet?.spec.paused || ordered) return undefined;
    const lifted = new Set(assigned.content?.liftedFreezes);
    const freezes = [...(fleet?.spec.freezes ?? []), ...(window?.spec.freezes ?? [])].filter(({ name }) => !lifted.has(name));
    const gate = frozenAt(freezes, pop.spec.timeZone, now, "Content");
    if (!gate.open) return gate.until;
    if (content.target !== wanted || content.since === undefined) {
      this.#of.write({ content: { ...content, target: wanted, state: "Loading", since: iso(now) } });
      this.#of.log.contentBegan(wanted, now);
      return now + CANARY + LOAD * total;
    }
    const until = Date.parse(content.since) + CANARY + LOAD * total;
    if (now < until) return until;
    const { target: _, ...rest } = content;
    this.#of.write({ content: { ...rest, current: wanted, state: "Loaded", since: iso(now) } });
    this.#of.log.contentLoaded(wanted, now);
    return undefined;
  }
}
