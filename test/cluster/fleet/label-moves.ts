// An independent counter: who was out when, read from the API server's audit log alone. It knows the project's code in nothing; the
// names on nodes are written here by hand, so that a name that changed by mistake is found too.
import { readFileSync } from "node:fs";

const LABEL = "/metadata/labels/rollward.dev.node-restriction.kubernetes.io~1revision";
const ANNOTATIONS = "/metadata/annotations";
const CLAIM_KEY = "rollward.dev/claim";
const CLAIM = `${ANNOTATIONS}/rollward.dev~1claim`;
const ENDED = "released:";

interface Entry {
  readonly verb: string;
  readonly objectRef?: { readonly resource: string; readonly subresource?: string; readonly name?: string };
  readonly requestObject?: unknown;
  readonly responseStatus?: { readonly code: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** One node taken out of service once. Instants are milliseconds since the epoch by the server's clock, with its microseconds. */
export interface TakenOut {
  readonly node: string;
  readonly pop: string;
  /** The request that wrote the claim. */
  readonly claimedAt: number;
  /** The request that took the revision label off; absent when the node was given back before. */
  labelLeftAt?: number;
  /** The revision label was on again. */
  labelBackAt?: number;
  /** The claim was ended: the node serves. Infinity: it never was. */
  endedAt: number;
}

/** What happened to nodes since an instant, oldest first; `unclaimed` names label moves of nodes that nobody had claimed. */
export interface NodeHistory {
  readonly takenOut: readonly TakenOut[];
  readonly unclaimed: readonly string[];
}

/**
 * Reads the log. Against the operator in doubt: a node counts as out from when the request arrived, also when nobody heard the answer,
 * until the answer was complete.
 */
export function readNodeHistory(auditLog: string, since = 0): NodeHistory {
  const takenOut: TakenOut[] = [];
  const unclaimed: string[] = [];
  for (const entry of nodePatches(auditLog).filter((one) => instant(one.requestReceivedTimestamp) >= since)) {
    const node = entry.objectRef!.name!;
    const [from, to] = [instant(entry.requestReceivedTimestamp), instant(entry.stageTimestamp)];
    const operations = entry.requestObject as readonly Operation[];
    const changes = operations.filter(({ op }) => op !== "test");
    const answered = (entry.responseStatus?.code ?? 0) < 300 && entry.responseStatus !== undefined;
    let open = takenOut.find((one) => one.node === node && one.endedAt === Infinity);
    // Who tests for an ended claim and is not refused has seen its end, also when the answer to the patch that wrote it was lost.
    if (open && answered && operations.some(({ op, path, value }) => op === "test" && path === CLAIM && isEnded(value))) {
      open.endedAt = from;
      open = undefined;
    }
    const claim = changes.map(claimOf).find((value) => value !== undefined);
    if (claim !== undefined && !isEnded(claim) && !open) {
      open = { node, pop: node.replace(/-n\d+$/, ""), claimedAt: from, endedAt: Infinity };
      takenOut.push(open);
    }
    for (const { op, path } of changes.filter((one) => one.path === LABEL)) {
      if (!open) unclaimed.push(`${entry.requestReceivedTimestamp} ${op} ${path} of ${node}`);
      else if (op === "remove") open.labelLeftAt ??= from;
      else if (answered) open.labelBackAt = to;
    }
    if (claim !== undefined && isEnded(claim) && open && answered) open.endedAt = to;
  }
  return { takenOut, unclaimed };
}

/** What counts as out: from the claim on (a node that only drains, too), or from the moment at which its label left. */
export type OutFrom = "claim" | "label";

const spanOf = (one: TakenOut, from: OutFrom): readonly [from: number, to: number] | undefined => {
  const begin = from === "claim" ? one.claimedAt : one.labelLeftAt;
  return begin === undefined ? undefined : [begin, one.endedAt];
};

/** Everybody who was out when somebody else went out: the only instants at which a count can grow. */
function crowds(takenOut: readonly TakenOut[], from: OutFrom): { readonly at: number; readonly out: readonly TakenOut[] }[] {
  const spans = takenOut.flatMap((one) => {
    const span = spanOf(one, from);
    return span ? [{ one, span }] : [];
  });
  return spans.map(({ span: [at] }) => ({ at, out: spans.filter(({ span }) => span[0] <= at && at < span[1]).map(({ one }) => one) }));
}

/** Instants at which both PoPs of a pair had a node out, as sentences. */
export function bothOut(takenOut: readonly TakenOut[], pairs: readonly (readonly [string, string])[], from: OutFrom): string[] {
  return crowds(takenOut, from).flatMap(({ at, out }) =>
    pairs
      .filter((pair) => pair.every((pop) => out.some((one) => one.pop === pop)))
      .map((pair) => `${new Date(at).toISOString()}: ${pair.join(" and ")} (${out.map(({ node }) => node).join(", ")})`),
  );
}

/** The most PoPs that had a node out at once, the most nodes, and the most nodes of one PoP. */
export function mostOut(takenOut: readonly TakenOut[], from: OutFrom): { pops: number; nodes: number; nodesOfOnePoP: number } {
  const most = { pops: 0, nodes: 0, nodesOfOnePoP: 0 };
  for (const { out } of crowds(takenOut, from)) {
    const pops = new Set(out.map(({ pop }) => pop));
    const ofOne = [...pops].map((pop) => out.filter((one) => one.pop === pop).length);
    most.pops = Math.max(most.pops, pops.size);
    most.nodes = Math.max(most.nodes, out.length);
    most.nodesOfOnePoP = Math.max(most.nodesOfOnePoP, ...ofOne);
  }
  return most;
}

/** Patches of Nodes, their status apart, that the server did not refuse. */
function nodePatches(auditLog: string): Entry[] {
  const lines = readFileSync(auditLog, "utf8").split("\n").slice(0, -1);
  return lines
    .map((line) => JSON.parse(line) as Entry)
    .filter(({ verb, objectRef }) => verb === "patch" && objectRef?.resource === "nodes" && objectRef.subresource === undefined)
    .filter(({ responseStatus }) => responseStatus === undefined || responseStatus.code < 300 || responseStatus.code >= 500)
    .filter(({ requestObject }) => Array.isArray(requestObject));
}

/** The claim that an operation writes, whether it writes the one annotation or all of them. */
function claimOf({ path, value }: Operation): string | undefined {
  if (path === CLAIM) return typeof value === "string" ? value : undefined;
  return path === ANNOTATIONS ? (value as Record<string, string> | undefined)?.[CLAIM_KEY] : undefined;
}

const isEnded = (value: unknown): boolean => typeof value === "string" && value.startsWith(ENDED);

/** `Date.parse` stops at milliseconds; the log counts microseconds. */
const instant = (timestamp: string): number => Date.parse(timestamp) + Number(/\.\d{3}(\d{1,3})/.exec(timestamp)?.[1] ?? 0) / 1_000;
