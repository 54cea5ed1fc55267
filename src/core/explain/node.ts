import type { PopCluster, PopClusterStatus, PopNodeStatus } from "../../api/pop-cluster.ts";
import { explanation, unseenChange, type Explanation } from "./explanation.ts";
import { holdLines, type ShownHold } from "./hold-lines.ts";
import { momentText } from "./moment.ts";
import { checkLine, nodeLine } from "./pop.ts";

/** Nodes named one by one; the others as a number. */
const NAMED = 10;

/**
 * Why one node of a PoP is where it is, what holds it, and what comes: that part of the PoP's ledger that concerns it. Undefined when the
 * ledger knows no node of that name.
 */
export function explainNode({ metadata, spec, status }: PopCluster, name: string): Explanation | undefined {
  const node = status?.nodes?.find((one) => one.name === name);
  if (status === undefined || node === undefined) return undefined;
  const zone = spec.timeZone;
  const waits = isToCome(node, status);
  const holds = (status.holds ?? []).filter((hold) => waits || names(hold.message, name));
  const version = versionOf(node.revision, status);
  const runs =
    node.revision === undefined ? "runs no revision yet" : `runs ${version === undefined ? "" : `${version}, `}revision ${node.revision}`;
  return explanation(`Node ${name} of PoPCluster ${metadata.name} ${runs}; ${STEP_WORDS[node.step]}`, [
    ["Attention", unseenChange(metadata.generation, status.observedGeneration)],
    ["Why not yet", holds.length > 0 ? holdLines(holds, zone) : [nothingHolds(node, waits)]],
    ["Now", [nodeLine(node, zone)]],
    ["What comes", [...whatComes(node, status, waits), ...(waits && blockedByWindow(holds) ? windows(status) : [])]],
    ["Checks", (status.checks ?? []).filter((check) => check.node === name).map((check) => checkLine(check, zone))],
  ]);
}

const STEP_WORDS = {
  Pending: "its turn is to come",
  Claimed: "it is claimed for an update",
  Updating: "it is being updated",
  Soaking: "it soaks",
  Done: "it is done",
  Failed: "it failed",
  Skipped: "it is left out",
} as const satisfies Record<PopNodeStatus["step"], string>;

/**
 * It is to be moved and nobody has begun with it: whatever holds the PoP holds it too. So does a node that is done with a run that bakes
 * or is watched while another version is wanted already.
 */
function isToCome({ step, revision }: PopNodeStatus, { run, revisions }: PopClusterStatus): boolean {
  if (step === "Pending") return true;
  const rests = run === undefined || run.state === "Baking" || run.state === "Passed";
  return rests && step === "Done" && revisions?.wanted !== undefined && revision !== revisions.wanted;
}

function nothingHolds({ step }: PopNodeStatus, waits: boolean): string {
  if (step === "Done" && !waits) return "Nothing is waiting: it runs what it should.";
  return step === "Failed" || step === "Skipped" ? "Nothing that ends by itself." : "Nothing holds it: the next step is being made.";
}

/** What the run or the next one does with it. */
function whatComes(node: PopNodeStatus, status: PopClusterStatus, waits: boolean): string[] {
  const { run } = status;
  const target = run === undefined ? "" : ` to ${run.version}`;
  switch (node.step) {
    case "Pending":
      return [`It goes${target}: claimed, drained, relabelled, verified, soaked.`, ...before(node, status)];
    case "Claimed":
      return ["Its sessions drain; then its label changes and the pod of the new revision comes up."];
    case "Updating":
      return ["The pod of the new revision has to serve and pass its checks; then the node soaks."];
    case "Soaking":
      return ["It is done when it has soaked with every check healthy for the whole time."];
    case "Failed":
      return run?.kind === "Rollback" && run.ending === undefined
        ? [`It is tried again on the way back${target}.`]
        : ["Nothing by itself: repair the node, then ask for it with rollward retry."];
    case "Skipped":
      return [SKIPPED_WORDS[node.skipped ?? "NotReady"]];
    case "Done":
      return waits ? ["It goes to the wanted revision with the next run of its PoP."] : [];
  }
}

const SKIPPED_WORDS = {
  Gone: "It is not a member any more; a node of that name that comes back joins anew.",
  CordonedByPerson: "It follows when its cordon is lifted.",
  NotReadyBefore: "It follows when it is Ready again.",
  NotReady: "It follows when it is Ready again.",
} as const satisfies Record<NonNullable<PopNodeStatus["skipped"]>, string>;

/** Who has his turn before it, in the order that the run froze. */
function before(node: PopNodeStatus, { run, nodes = [] }: PopClusterStatus): string[] {
  const place = run?.frozen.order.indexOf(node.uid) ?? -1;
  if (run === undefined || place < 0) return [];
  const open = new Map(
    nodes.filter(({ step }) => ["Pending", "Claimed", "Updating", "Soaking"].includes(step)).map((one) => [one.uid, one.name]),
  );
  const first = run.frozen.order.slice(0, place).flatMap((uid) => open.get(uid) ?? []);
  if (first.length === 0) return ["Nobody has his turn before it."];
  const more = first.length > NAMED ? ` and ${first.length - NAMED} more` : "";
  return [`Before it: ${first.slice(0, NAMED).join(", ")}${more}.`];
}

const WINDOW_REASONS: ReadonlySet<string> = new Set(["OutsideWindow", "LastStartPassed", "Frozen", "NoticeNotElapsed"]);
const blockedByWindow = (holds: readonly ShownHold[]): boolean => holds.some(({ reason }) => WINDOW_REASONS.has(reason));

const windows = ({ next = [] }: PopClusterStatus): string[] =>
  next.slice(0, 2).map(({ start, localStart }) => `A window of the PoP opens ${localStart} (${momentText(start, undefined)}).`);

/** The version of a revision, as far as the ledger has it. */
function versionOf(revision: string | undefined, { run, revisions, version, history = [] }: PopClusterStatus): string | undefined {
  if (revision === undefined) return undefined;
  if (revision === run?.revision) return run.version;
  if (revision === run?.from) return run.takesBack?.version;
  if (revision === revisions?.current) return version;
  return history.findLast((entry) => entry.revision === revision)?.version;
}

/** Is the name in the sentence as a word of its own? `n1` is neither in `n12` nor in `n1.example.com`. */
function names(sentence: string, name: string): boolean {
  const at = sentence.indexOf(name);
  if (at < 0) return false;
  const isWord = !/[\w.-]$/.test(sentence.slice(0, at)) && !/^(?:[\w-]|\.\w)/.test(sentence.slice(at + name.length));
  return isWord || names(sentence.slice(at + name.length), name);
}
