import type { WaitingReason } from "../../api/reasons.ts";

/**
 * The total table of rule C7, as data: what one rollout answers to one device, from nine facts. `docs/reference/client-answers.md` is
 * printed from it, and `table.test.ts` reads it cell by cell.
 */
export const DIMENSIONS = {
  /** The account's policy for the system; one that is not named is Managed. */
  policy: ["Automatic", "Managed"],
  /** What the device runs, seen from the rollout; None: a new installation. */
  device: ["None", "Older", "Faulty", "BelowFloor", "Target", "Newer"],
  superseded: ["No", "Yes"],
  /** The word of the provider, the Fleet's pause included. */
  provider: ["Run", "Paused", "Stopped"],
  monitoring: ["Run", "Paused"],
  /** The account's own pause of this version; its failed pilots count as one (C2). */
  account: ["Run", "Paused"],
  pilot: ["Member", "Other"],
  accountInPhase: ["Yes", "No"],
  userInPhase: ["Yes", "No"],
  /** The file that it would be sent to: one of the gateway's own folder may be missing, or another one than the rollout says. */
  file: ["There", "Missing"],
} as const;
export type Dimension = keyof typeof DIMENSIONS;
export type Cell = { readonly [Name in Dimension]: (typeof DIMENSIONS)[Name][number] };

/** `Offer`, or the reason for which nothing is offered. */
export type CellAnswer = "Offer" | "UpToDate" | WaitingReason;

export interface Row {
  readonly when: Partial<Cell>;
  readonly answer: CellAnswer;
  /** The sentence of the row, for the page. */
  readonly because: string;
}

const MISSING = "what cannot be fetched is not offered: a download that must fail would count against the version";

/** The first row that fits answers. The last one fits every cell, so the table is total. */
export const ROWS: readonly Row[] = [
  {
    when: { policy: "Managed" },
    answer: "PolicyManaged",
    because: "the account upgrades this system itself; nothing is ever offered (C1)",
  },
  { when: { device: "Newer" }, answer: "OlderVersion", because: "nobody is downgraded (C8, V3)" },
  { when: { device: "Target" }, answer: "UpToDate", because: "it runs the version" },
  { when: { superseded: "Yes" }, answer: "Superseded", because: "a fixed version took its place the moment it was seen (C6)" },
  { when: { provider: "Stopped" }, answer: "Stopped", because: "the provider ended it for ever (C5)" },
  { when: { provider: "Paused" }, answer: "Paused", because: "the provider paused it, or the whole Fleet (C5)" },
  { when: { monitoring: "Paused" }, answer: "PausedByMonitoring", because: "failures or a figure paused it by themselves (C5)" },
  { when: { account: "Paused" }, answer: "PausedByAccount", because: "the account paused this version, or its own pilots failed (C2, C5)" },
  {
    when: { device: "BelowFloor" },
    answer: "BelowFloor",
    because: "a floor may not be jumped over; an older rollout that stands takes it there (C8)",
  },
  { when: { device: "Faulty", file: "Missing" }, answer: "ArtifactMissing", because: MISSING },
  { when: { device: "Faulty" }, answer: "Offer", because: "devices on the faulty version come first, whatever the phase (C6)" },
  { when: { pilot: "Member", file: "Missing" }, answer: "ArtifactMissing", because: MISSING },
  { when: { pilot: "Member" }, answer: "Offer", because: "pilots get it from the announcement (C2)" },
  { when: { accountInPhase: "No" }, answer: "NotInPhase", because: "no phase has reached the account yet (C3)" },
  { when: { userInPhase: "No" }, answer: "NotInPhase", because: "a phase has reached the account, and this user not yet (C3)" },
  { when: { file: "Missing" }, answer: "ArtifactMissing", because: MISSING },
  { when: {}, answer: "Offer", because: "a phase has reached the user (C3)" },
];

const NAMES = Object.keys(DIMENSIONS) as Dimension[];

const CONDITIONS = ROWS.map(({ when, answer }) => ({ answer, facts: Object.entries(when) as [Dimension, string][] }));

/** What one rollout answers to one device: exactly one answer in each cell. */
export const answerOf = (cell: Cell): CellAnswer =>
  CONDITIONS.find(({ facts }) => facts.every(([name, value]) => cell[name] === value))!.answer;

/** Every cell of these dimensions, all of them when none are named; the others as in `rest`. */
export function cells(names: readonly Dimension[] = NAMES, rest: Partial<Cell> = {}): readonly Cell[] {
  return names.reduce<readonly Partial<Cell>[]>(
    (all, name) => all.flatMap((cell) => DIMENSIONS[name].map((value) => ({ ...cell, [name]: value }))),
    [rest],
  ) as readonly Cell[];
}
