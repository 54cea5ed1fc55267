import { NODE_STEPS, type PopClusterStatus, popClusterStatus } from "../../api/pop-cluster.ts";
import { popRun, RUN_STATES } from "../../api/pop-run.ts";
import { cleanText } from "../text.ts";
import type { Outcome } from "./outcome.ts";
import type { PopView } from "./view.ts";

const GRANT = popClusterStatus.shape.grant.unwrap().shape;
const CONTENT_STATES = popClusterStatus.shape.content.unwrap().shape.state.unwrap().options;
const NAMED = 5;

/** Words at which the ledger stands and that this version does not know, each with its place; almost always none (I21). */
export function laterWordsOf({ run, nodes = [], grant, content }: PopClusterStatus): string[] {
  const places: readonly (readonly [place: string, word: string | undefined, known: readonly string[]])[] = [
    ["status.run.kind", run?.kind, popRun.shape.kind.options],
    ["status.run.state", run?.state, RUN_STATES],
    ["status.run.ending", run?.ending, popRun.shape.ending.unwrap().options],
    ["status.grant.kind", grant?.kind, GRANT.kind.options],
    ["status.grant.state", grant?.state, GRANT.state.options],
    ["status.content.state", content?.state, CONTENT_STATES],
  ];
  return [
    ...places.flatMap(([place, word, known]) => (word === undefined || known.includes(word) ? [] : [`${place} ${word}`])),
    ...nodes.flatMap(({ name, step }) => (STEPS.has(step) ? [] : [`step ${step} of node ${name}`])),
  ];
}

const STEPS: ReadonlySet<string> = new Set(NODE_STEPS);

/**
 * A later version of the operator was here, and left the ledger where only it knows the way. Nothing is done and nothing of the ledger
 * moves: to read a step as the nearest one that is known could disrupt a node twice, or leave it out (I21).
 */
export function laterLedger(view: PopView): Outcome {
  const words = laterWordsOf(view.seen.pop.status);
  const more = words.length > NAMED ? ` and ${words.length - NAMED} more` : "";
  const message =
    `a later version of Rollward left the ledger at ${cleanText(words.slice(0, NAMED).join(", "), 512)}${more}, which this one does not know; ` +
    "nothing is done to this PoP until that version runs again and has finished it";
  return { holds: [{ rule: "I21", reason: "LaterVersion", message }] };
}
