import { durationText } from "./duration-text.ts";
import { CAUSE_WORDS, CAUSES, type Times } from "./member-times.ts";
import type { Report } from "./report.ts";

/** One section of a report as rows of plain text; both renderings show these, so they cannot differ. */
export interface Table {
  readonly title: string;
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What stands instead of a table without rows. */
  readonly empty: string;
  /** Said under the table. */
  readonly note?: string;
  /** The last row sums up the others. */
  readonly sums?: boolean;
}

/** The sections of a report in their order, after title and summary. */
export function tablesOf(report: Report): Table[] {
  return [durations(report), waves(report), failed(report), skipped(report), evidence(report), approvals(report), timeline(report)];
}

const NONE = "–";

/** What a report says how long things took; the chart draws it. */
export const DURATIONS = "How the time was spent";

function durations({ durations: { pops, sum, note } }: Report): Table {
  const times = (of: Times): string[] => [...CAUSES.map((cause) => of[cause]), of.total, of.toBegin].map(durationText);
  const notes = pops.flatMap((one) => {
    const facts = [one.note, one.accountedUntil === undefined ? undefined : `accounted until ${one.accountedUntil}`].filter(
      (text) => text !== undefined,
    );
    return facts.length === 0 ? [] : [`${one.pop}: ${facts.join("; ")}.`];
  });
  return {
    title: DURATIONS,
    heading: [
      "PoP",
      "Wave",
      "State",
      "Nodes",
      "Began",
      "Passed or ended",
      ...CAUSES.map((cause) => CAUSE_WORDS[cause]),
      "together",
      "before it began",
    ],
    rows: [
      ...pops.map((one) => [one.pop, one.wave, one.state, String(one.nodes ?? NONE), one.began ?? NONE, one.ended ?? NONE, ...times(one)]),
      ...(pops.length === 0
        ? []
        : [["All PoPs", NONE, NONE, String(pops.reduce((all, one) => all + (one.nodes ?? 0), 0)), NONE, NONE, ...times(sum)]]),
    ],
    empty: "No PoP has been assigned yet.",
    note: [note, ...notes].join(" "),
    sums: true,
  };
}

const waves = ({ waves: list }: Report): Table => ({
  title: "Waves",
  heading: ["Wave", "State", "Opened", "Ended", "PoPs", "What became of them", "Approved by"],
  rows: list.map(({ name, state, opened, ended, pops, members, approvedBy }) => [
    name,
    state,
    opened ?? NONE,
    ended ?? NONE,
    pops.length === 0 ? NONE : pops.join(", "),
    members === "" ? NONE : members,
    approvedBy ?? NONE,
  ]),
  empty: "No wave has been planned yet.",
});

const MEMBERS = ["PoP", "Wave", "State", "Since", "Why"];
const failed = ({ failed: list }: Report): Table => ({
  title: "Failed",
  heading: MEMBERS,
  rows: list.map(({ pop, wave, state, since, why }) => [pop, wave, state, since, why || NONE]),
  empty: "No PoP failed.",
});
const skipped = ({ skipped: list }: Report): Table => ({
  title: "Skipped",
  heading: MEMBERS,
  rows: list.map(({ pop, wave, state, since, why }) => [pop, wave, state, since, why || NONE]),
  empty: "No PoP was skipped.",
});

const evidence = ({ evidence: list }: Report): Table => ({
  title: "Evidence",
  heading: ["Of", "Found", "Since", "What was found"],
  rows: list.map(({ of, found, since, text }) => [of, found, since, text]),
  empty: "There is no evidence: the rollout asks for none, and no PoP has judged the version.",
});

const approvals = ({ approvals: list }: Report): Table => ({
  title: "Approvals",
  heading: ["Approval", "By", "Decision", "Of", "Why", "When", "Used"],
  rows: list.map(({ name, by, decision, actions, reason, at, used, unused }) => [
    name,
    by,
    decision,
    actions.join(", "),
    reason,
    at || NONE,
    used.length > 0 ? used.join("; ") : unused === undefined ? "not used" : `not used: ${unused}`,
  ]),
  empty: "Nobody approved or refused anything.",
});

const timeline = ({ timeline: list }: Report): Table => ({
  title: "Time line",
  heading: ["UTC", "Where the PoP is", "What happened"],
  rows: list.map(({ at, local, what }) => [at, local ?? NONE, what]),
  empty: "Nothing has happened yet.",
});
