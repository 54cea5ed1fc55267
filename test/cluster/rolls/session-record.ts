import type { PopClusterStatus } from "../../../src/api/pop-cluster.ts";
import { CLAIM_ANNOTATION, REVISION_LABEL } from "../../../src/api/names.ts";
import type { SessionBreak } from "../../../src/simulation/load/session-client.ts";
import { LineProcess } from "../virtual-nodes/child-process.ts";
import { isNodePatch, operationsOf, operatorWrites, succeeded } from "./audit.ts";
import type { ClusterWorld } from "./cluster-world.ts";

/** The separate load generator: real TCP sessions to one PoP, and every break of one. */
export class SessionLoadProcess {
  readonly pop: string;
  readonly #process: LineProcess;

  private constructor(pop: string, process: LineProcess) {
    this.pop = pop;
    this.#process = process;
  }

  /** Starts it and waits until every session is held. */
  static async start(world: ClusterWorld, pop: string, sessions: number): Promise<SessionLoadProcess> {
    const args = ["--nodes", world.directory, "--pop", pop, "--sessions", String(sessions)];
    const process = new LineProcess("src/simulation/load/main.ts", args, world.enter);
    await process.line("held");
    return new SessionLoadProcess(pop, process);
  }

  get breaks(): readonly SessionBreak[] {
    return this.#process.lines.filter((line) => line.type === "break") as unknown as SessionBreak[];
  }

  /** Ends it; answers how many sessions it held a moment before. */
  async end(): Promise<number> {
    await this.#process.end();
    return Number(this.#process.lines.find((line) => line.type === "summary" && line["final"] === true)?.["held"]);
  }
}

/** One drain of one node as the server saw it: from the patch that claimed the node to the one that took its label off. */
export interface Drain {
  readonly node: string;
  readonly from: number;
  readonly to: number;
}

/** The drains of a PoP's nodes, oldest first, by the audit log. A node given back instead ends its drain with its claim. */
export function drainsOf(world: ClusterWorld, pop: string, since = 0): Drain[] {
  const drains: { node: string; from: number; to: number }[] = [];
  for (const entry of operatorWrites(world, since).filter(
    (one) => isNodePatch(one) && succeeded(one) && one.objectRef?.name?.startsWith(`${pop}-`),
  )) {
    const node = entry.objectRef!.name!;
    const changes = operationsOf(entry).filter(({ op }) => op !== "test");
    const claims = changes.some(
      ({ path, value }) => path.startsWith("/metadata/annotations") && claimOf(path, value)?.startsWith("released:") === false,
    );
    const leaves = changes.some(({ op, path }) => op === "remove" && path.endsWith(pointer(REVISION_LABEL)));
    const ends = changes.some(({ path, value }) => claimOf(path, value)?.startsWith("released:") === true);
    const open = drains.find((drain) => drain.node === node && drain.to === Infinity);
    if (claims && !open) drains.push({ node, from: Date.parse(entry.requestReceivedTimestamp), to: Infinity });
    if ((leaves || ends) && open) open.to = Date.parse(entry.stageTimestamp);
  }
  return drains;
}

const pointer = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** The claim that an operation writes, whether it writes the one annotation or all of them. */
function claimOf(path: string, value: unknown): string | undefined {
  if (path.endsWith(pointer(CLAIM_ANNOTATION))) return typeof value === "string" ? value : undefined;
  if (path === "/metadata/annotations") return (value as Record<string, string> | undefined)?.[CLAIM_ANNOTATION];
  return undefined;
}

/** Breaks that fall into no drain of the node that held the session; `slack` milliseconds for two processes' clocks and the wire. */
export const outsideDrains = (breaks: readonly SessionBreak[], drains: readonly Drain[], slack = 100): SessionBreak[] =>
  breaks.filter(({ node, at }) => !drains.some((drain) => drain.node === node && at >= drain.from - slack && at <= drain.to + slack));

/** How often each session broke. */
export function breaksBySession(breaks: readonly SessionBreak[]): Map<string, SessionBreak[]> {
  const bySession = new Map<string, SessionBreak[]>();
  for (const one of breaks) bySession.set(one.id, [...(bySession.get(one.id) ?? []), one]);
  return bySession;
}

/** The most sessions that were broken at once, and the node that most of them came from. */
export function mostBroken(breaks: readonly SessionBreak[]): { readonly count: number; readonly node: string } {
  let most = { count: 0, node: "" };
  for (const { at } of breaks) {
    const open = breaks.filter((other) => other.at <= at && (other.backAt ?? Infinity) > at);
    if (open.length > most.count) most = { count: open.length, node: open[0]!.node };
  }
  return most;
}

/** Sessions that each node held when its drain began, by the ledger. */
export const heldByNode = (status: PopClusterStatus | undefined): Record<string, number> =>
  Object.fromEntries((status?.nodes ?? []).map((entry) => [entry.name, entry.sessions ?? 0]));
