import { EXIT } from "../exit-codes.ts";
import { Refusal } from "../refusal.ts";
import type { Act } from "./act.ts";
import type { DemoOptions } from "./options.ts";

/** Ends the command where its words ask for what cannot be had together; `acts`: those that `--act` chooses. */
export function refuseContradictions(options: DemoOptions, acts: readonly Act[]): void {
  const sentence = options.realNodes === true ? besideRealNodes(options) : contradiction(options, acts);
  if (sentence !== undefined) throw new Refusal(EXIT.badInput, sentence);
}

function contradiction({ embedded, keep, real, kubeconfig }: DemoOptions, acts: readonly Act[]): string | undefined {
  const onServers = real === true || kubeconfig !== undefined;
  if (embedded && onServers) return "--embedded plays in memory, --real and --kubeconfig do not: write one of them";
  if (embedded && keep) return "--keep has nothing to stay for in memory: leave it out, or --embedded";
  if ((onServers || keep) && acts.every(({ inMemory }) => inMemory !== undefined))
    return `${acts.map(({ number }) => `act ${number}`).join(" and ")} ${acts.length > 1 ? "play" : "plays"} in memory alone, --real, --kubeconfig and --keep do not: leave them out`;
  return undefined;
}

function besideRealNodes({ act, embedded, real, kubeconfig, metrics }: DemoOptions): string | undefined {
  const other = act?.find((number) => number !== "1");
  if (other !== undefined)
    return (
      `act ${other} does not play on real nodes, of which a machine carries a few: there is act 1 alone, one PoP of four of them. ` +
      `Write --real-nodes without --act, or --act ${other} without --real-nodes`
    );
  if (kubeconfig !== undefined)
    return "--real-nodes starts a control plane and nodes of its own, --kubeconfig plays on those of somebody: write one of them";
  if (embedded) return "--embedded plays in memory, --real-nodes on real nodes: write one of them";
  if (metrics !== undefined)
    return "--metrics serves on this machine's loopback, and with --real-nodes the operator runs in the nodes' network: write one of them";
  if (real) return "--real plays on a real control plane with virtual nodes, --real-nodes on one with real ones: write one of them";
  return undefined;
}
