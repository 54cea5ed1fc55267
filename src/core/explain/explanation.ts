import type { Condition } from "../../api/common.ts";
import { cleanText } from "../text.ts";

/** Why not yet, and when: plain data that the command line and the console print each in their way. */
export interface Explanation {
  /** One sentence: what it is and what it does now. */
  readonly summary: string;
  readonly sections: readonly { readonly title: string; readonly lines: readonly string[] }[];
}

/** What is longer was not written by us. */
const LINE_LIMIT = 2048;

/** Leaves out empty sections; every line is stripped and capped again, for a status can be written by others (rule G12). */
export function explanation(summary: string, sections: readonly (readonly [title: string, lines: readonly string[]])[]): Explanation {
  const clean = (text: string): string => cleanText(text, LINE_LIMIT);
  return {
    summary: clean(summary),
    sections: sections.filter(([, lines]) => lines.length > 0).map(([title, lines]) => ({ title, lines: lines.map(clean) })),
  };
}

/** A warning when the status is older than the spec: what follows is then true of the spec before. */
export function unseenChange(generation: number | undefined, observed: number | undefined): string[] {
  if (generation === undefined || observed === undefined || observed >= generation) return [];
  return [
    `The operator has not looked at the last change of the spec yet (generation ${generation}, it saw ${observed}); what follows is about the one before.`,
  ];
}

/** Conditions that say that a person has to act. */
export const troubles = (conditions: readonly Condition[] | undefined): string[] =>
  (conditions ?? [])
    .filter(
      ({ type, status }) =>
        status === "False" && (type === "Accepted" || type === "Ready" || type === "VersionHealthy" || type === "Resilient"),
    )
    .map(({ type, reason, message }) => `${type} is False (${reason}): ${message}`);
