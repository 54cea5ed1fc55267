// What really happened to a release, by the API server's audit log alone: node patches, and the statuses as they were sent and accepted.
// It shares no line with Rollward: nothing is imported but Node's own modules, and what the kinds look like is written down here again.
//
//   node history-from-audit.ts AUDIT_LOG CLOCK_JOURNAL ROLLOUT VERSION   → the history as JSON on standard output
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** From the wall time `real` on the calendar showed `calendar`, and ran `rate` times as fast. */
export interface Pace {
  readonly calendar: number;
  readonly real: number;
  readonly rate: number;
}

/** Calendar instants, RFC 3339 with milliseconds; absent: it did not happen. */
export interface PopHistory {
  readonly pop: string;
  readonly wave: string;
  /** It asked for the grant that it then had. */
  asked?: string | undefined;
  /** The Fleet's ledger was written with this PoP in it. */
  granted?: string | undefined;
  /** The first node of it was claimed by a patch of that Node. */
  firstClaim?: string | undefined;
  /** The first node lost its revision label. */
  firstLabelOff?: string | undefined;
  /** The last node got the label of the new revision. */
  lastLabelOn?: string;
  /** The last node was taken back into service: its claim was ended. */
  lastReleased?: string;
  /** Done by the PoP's own ledger, one after the other, the soak of each included. */
  nodesDone: string[];
  /** The run left its last node. */
  rolled?: string;
  passed?: string;
}

export interface WaveHistory {
  readonly name: string;
  opened?: string;
  ended?: string;
}

export interface History {
  readonly rollout: string;
  readonly version: string;
  readonly outcome?: string;
  readonly ended?: string;
  readonly waves: readonly WaveHistory[];
  /** In the order of their grants. */
  readonly pops: readonly PopHistory[];
  /** How many accepted writes it was read from. */
  readonly writes: number;
}

interface Entry {
  readonly verb: string;
  readonly objectRef?: { readonly resource: string; readonly subresource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code: number };
  readonly requestObject?: unknown;
  readonly requestReceivedTimestamp: string;
}

interface Patch {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** The fields of our kinds that are read here. */
interface Status {
  readonly disruptions?: readonly { readonly pop: string; readonly kind: string; readonly id: number }[];
  readonly waves?: readonly { readonly name: string; readonly state: string }[];
  readonly outcome?: string;
  readonly grant?: { readonly id: number; readonly state: string };
  readonly assigned?: { readonly rollout: string; readonly wave: string };
  readonly run?: { readonly version: string; readonly state: string; readonly revision: string };
  readonly nodes?: readonly { readonly name: string; readonly step: string; readonly revision?: string }[];
}

const CLAIM = "/metadata/annotations/rollward.dev~1claim";
const LABEL = "/metadata/labels/rollward.dev.node-restriction.kubernetes.io~1revision";

/** Wall time, as the server has it, as the calendar that all processes followed. */
export function onCalendar(wall: number, paces: readonly Pace[]): string {
  const pace = paces.findLast(({ real }) => real <= wall);
  if (pace === undefined) throw new Error(`the journal of the clock begins after ${new Date(wall).toISOString()}`);
  return new Date(pace.calendar + (wall - pace.real) * pace.rate).toISOString();
}

export function historyOf(entries: readonly Entry[], paces: readonly Pace[], rollout: string, version: string): History {
  const accepted = entries
    .filter(({ responseStatus, requestObject }) => requestObject !== undefined && (responseStatus?.code ?? 500) < 300)
    .toSorted((a, b) => (a.requestReceivedTimestamp < b.requestReceivedTimestamp ? -1 : 1));
  const waves = new Map<string, WaveHistory>();
  const pops = new Map<string, PopHistory>();
  const popOfNode = new Map<string, string>();
  const held = new Map<string, number>();
  const granted = new Map<string, string>();
  const claims = new Map<string, string>();
  const offs = new Map<string, string>();
  let end: { readonly outcome: string; readonly ended: string } | undefined;
  for (const { objectRef, requestObject, requestReceivedTimestamp } of accepted) {
    const at = onCalendar(Date.parse(requestReceivedTimestamp), paces);
    const { resource = "", name = "", subresource } = objectRef ?? {};
    if (resource === "nodes" && Array.isArray(requestObject)) {
      for (const { op, path, value } of requestObject as Patch[]) {
        if (op === "test") continue;
        const claim = claimIn(path, value);
        const off = path === LABEL && (op === "remove" || (typeof value === "string" && value.endsWith("-none")));
        if (claim !== undefined && !claim.startsWith("released:") && !claims.has(name)) claims.set(name, at);
        if (claim?.startsWith("released:")) note(pops.get(popOfNode.get(name) ?? ""), (pop) => (pop.lastReleased = at));
        if (off && !offs.has(name)) offs.set(name, at);
        if (path === LABEL && !off) note(pops.get(popOfNode.get(name) ?? ""), (pop) => (pop.lastLabelOn = at));
      }
      const pop = pops.get(popOfNode.get(name) ?? "");
      note(pop, (of) => {
        of.firstClaim ??= claims.get(name);
        of.firstLabelOff ??= offs.get(name);
      });
      continue;
    }
    if (subresource !== "status") continue;
    const { status } = requestObject as { readonly status?: Status };
    if (resource === "fleets") {
      for (const { pop, kind, id } of status?.disruptions ?? []) {
        if (kind !== "Roll" || held.get(pop) === id) continue;
        held.set(pop, id);
        granted.set(pop, at);
        note(pops.get(pop), (of) => (of.granted ??= at));
      }
    }
    if (resource === "poprollouts" && name === rollout) {
      for (const { name: wave, state } of status?.waves ?? []) {
        const of = waves.get(wave) ?? { name: wave };
        waves.set(wave, of);
        if (state !== "Pending") of.opened ??= at;
        if (state === "Passed" || state === "Skipped") of.ended ??= at;
      }
      if (status?.outcome !== undefined) end ??= { outcome: status.outcome, ended: at };
    }
    if (resource === "popclusters" && status?.assigned?.rollout === rollout) {
      const { run, nodes = [], assigned, grant } = status;
      for (const node of nodes) popOfNode.set(node.name, name);
      const of =
        pops.get(name) ??
        begun(
          name,
          assigned.wave,
          claims,
          offs,
          nodes.map((node) => node.name),
        );
      pops.set(name, of);
      if (grant?.state === "Asked") of.asked ??= at;
      if (run?.version !== version) continue;
      of.granted ??= granted.get(name);
      const done = nodes.filter(({ step, revision }) => step === "Done" && revision === run.revision).length;
      while (of.nodesDone.length < done) of.nodesDone.push(at);
      if (run.state === "Baking" || run.state === "Passed") of.rolled ??= at;
      if (run.state === "Passed") of.passed ??= at;
    }
  }
  return {
    rollout,
    version,
    ...end,
    waves: [...waves.values()],
    pops: [...pops.values()].toSorted((a, b) => ((a.granted ?? "~") < (b.granted ?? "~") ? -1 : 1)),
    writes: accepted.length,
  };
}

/** What its nodes bore of earlier releases is forgotten. */
function begun(pop: string, wave: string, claims: Map<string, string>, offs: Map<string, string>, nodes: readonly string[]): PopHistory {
  for (const node of nodes) {
    claims.delete(node);
    offs.delete(node);
  }
  return { pop, wave, nodesDone: [] };
}

function claimIn(path: string, value: unknown): string | undefined {
  if (path === CLAIM) return typeof value === "string" ? value : undefined;
  if (path !== "/metadata/annotations" || typeof value !== "object" || value === null) return undefined;
  const claim = (value as Record<string, unknown>)["rollward.dev/claim"];
  return typeof claim === "string" ? claim : undefined;
}

function note(pop: PopHistory | undefined, change: (pop: PopHistory) => void): void {
  if (pop !== undefined) change(pop);
}

/** Whole lines; one that is still being written is left. */
const linesOf = <Line>(path: string): Line[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [audit = "", journal = "", rollout = "", version = ""] = process.argv.slice(2);
  process.stdout.write(`${JSON.stringify(historyOf(linesOf(audit), linesOf(journal), rollout, version), null, 2)}\n`);
}
