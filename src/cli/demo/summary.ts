import { alignedTable } from "../table.ts";

/** One bad version and how it went. */
export interface TakenBack {
  readonly version: string;
  readonly pop: string;
  /** What `status.history` says found it. */
  readonly evidence: string;
  readonly symptom: string;
  readonly symptomToFirstBackMilliseconds: number;
  readonly nodesThatRanIt: readonly string[];
}

/** What the play has told, for its last page. */
export interface Told {
  claims: number;
  /** Where the claims were read. */
  source: string;
  readonly explained: { readonly pop: string; readonly version: string; readonly stage: string; readonly sentence: string }[];
  readonly takenBack: TakenBack[];
  /** Sentences with what was measured. */
  readonly shown: string[];
}

/** The last page: each bad version, what found it and how long it took; what `rollward explain` said at each stage. */
export function summaryText(told: Told, realMilliseconds: number): string {
  const rows = told.takenBack.map(({ version, pop, nodesThatRanIt, symptom, symptomToFirstBackMilliseconds }) => [
    version,
    pop,
    nodesThatRanIt.join(", "),
    symptom,
    `${(symptomToFirstBackMilliseconds / 1000).toFixed(1)} s`,
  ]);
  const parts = [
    "\n== What was shown",
    ...told.shown,
    rows.length === 0
      ? ""
      : alignedTable(["BAD VERSION", "POP", "NODES THAT RAN IT", "FIRST SYMPTOM", "SYMPTOM TO FIRST NODE BACK"], rows).trimEnd(),
    told.takenBack.length === 0 ? "" : "\nThe check that found it, by status.history:",
    ...told.takenBack.map(({ version, evidence }) => `  ${version}: ${evidence}`),
    told.explained.length === 0 ? "" : "\nWhat rollward explain said at each stage:",
    ...told.explained.map(({ pop, version, stage, sentence }) => `  ${version} on ${pop}, ${stage}: ${sentence}`),
    `\n${told.claims} claims, each read from ${told.source}; ${(realMilliseconds / 1000).toFixed(1)} s in all.`,
  ];
  return `${parts.filter((part) => part !== "").join("\n")}\n`;
}
