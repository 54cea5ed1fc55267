// Lays the plan that was written down before beside the history that was read afterwards. Imports nothing: two files of numbers are
// compared, whoever made them.

/** What is read of the output of `rollward plan -o json`. */
export interface PlanFile {
  readonly digest: string;
  readonly from: string;
  readonly rollouts: readonly {
    readonly name: string;
    readonly finishAt?: string;
    readonly waves: readonly { readonly name: string; readonly opens?: string; readonly ends?: string }[];
    readonly pops: readonly {
      readonly pop: string;
      readonly wave: string;
      readonly nodes: number;
      readonly start?: string;
      readonly end?: string;
      readonly passed?: string;
    }[];
  }[];
}

/** What is read of the history. */
export interface HistoryFile {
  readonly rollout: string;
  readonly waves: readonly { readonly name: string; readonly opened?: string; readonly ended?: string }[];
  readonly pops: readonly {
    readonly pop: string;
    readonly wave: string;
    readonly granted?: string | undefined;
    readonly firstClaim?: string | undefined;
    readonly nodesDone: readonly string[];
    readonly rolled?: string;
    readonly passed?: string;
  }[];
}

export interface Row {
  /** A PoP, a wave, or the rollout. */
  readonly of: string;
  readonly what: string;
  readonly foreseen: string;
  readonly happened: string;
  /** How much later than foreseen; not a number where one of both did not happen. */
  readonly seconds: number;
}

export interface Difference {
  readonly rows: readonly Row[];
  /** What is not an instant: waves, numbers of nodes, who is in one table alone, who came before whom. */
  readonly mismatches: readonly string[];
}

export function differenceOf(plan: PlanFile, history: HistoryFile): Difference {
  const planned = plan.rollouts.find(({ name }) => name === history.rollout);
  if (planned === undefined) return { rows: [], mismatches: [`the plan does not know ${history.rollout}`] };
  const rows: Row[] = [];
  const mismatches: string[] = [];
  const row = (of: string, what: string, foreseen: string | undefined, happened: string | undefined) =>
    rows.push({ of, what, foreseen: foreseen ?? "–", happened: happened ?? "–", seconds: apart(foreseen, happened) });
  for (const { name, opens, ends } of planned.waves) {
    const wave = history.waves.find((one) => one.name === name);
    row(`wave ${name}`, "opens", opens, wave?.opened);
    row(`wave ${name}`, "is over", ends, wave?.ended);
  }
  for (const { pop, wave, nodes, start, end, passed } of planned.pops) {
    const real = history.pops.find((one) => one.pop === pop);
    if (real?.wave !== wave) mismatches.push(`${pop} was foreseen in wave ${wave} and was in ${real?.wave ?? "none"}`);
    if (real?.nodesDone.length !== nodes) mismatches.push(`${pop}: ${nodes} nodes were foreseen, ${real?.nodesDone.length ?? 0} were done`);
    row(pop, "is granted", start, real?.granted);
    row(pop, "claims its first node", start, real?.firstClaim);
    row(pop, "has its last node done", end, real?.rolled);
    row(pop, "has baked", passed, real?.passed);
  }
  for (const { pop } of history.pops) if (!planned.pops.some((one) => one.pop === pop)) mismatches.push(`${pop} was not foreseen at all`);
  row(
    "rollout",
    "has its last node done",
    planned.finishAt,
    history.pops
      .map(({ rolled }) => rolled ?? "")
      .toSorted()
      .at(-1),
  );
  return { rows, mismatches };
}

const apart = (foreseen: string | undefined, happened: string | undefined): number =>
  Math.round((Date.parse(happened ?? "") - Date.parse(foreseen ?? "")) / 1000);

/** PoPs of which an instant is further off than this, or is missing. */
export const beyond = ({ rows }: Difference, seconds: number): readonly string[] => [
  ...new Set(rows.filter((one) => !(Math.abs(one.seconds) <= seconds)).map(({ of }) => of)),
];

/** Both tables and what lies between them, as Markdown. */
export function differenceTable({ rows, mismatches }: Difference): string {
  const lines = rows.map(({ of, what, foreseen, happened, seconds }) => `| ${of} | ${what} | ${foreseen} | ${happened} | ${seconds} |`);
  return [
    "| of | what | foreseen | happened | seconds |",
    "| --- | --- | --- | --- | ---: |",
    ...lines,
    ...(mismatches.length > 0 ? ["", ...mismatches.map((one) => `- ${one}`)] : []),
    "",
  ].join("\n");
}
