/** A threshold of a check, `<= 0.01`, read once. */
export interface Comparison {
  /** As shown to people, with one blank: `<= 0.01`. */
  readonly text: string;
  /** NaN neither passes nor fails anything: ask `Number.isNaN` first (rule G9). */
  readonly holds: (value: number) => boolean;
}

const OPERATORS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
  "==": (value, bound) => value === bound,
  "!=": (value, bound) => value !== bound,
};
const COMPARISON = /^\s*(<=|>=|==|!=|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*$/;

/** Reads a comparison. What is none gets a sentence that says what to write instead (reason QueryInvalid). */
export function parseComparison(text: string): { ok: true; comparison: Comparison } | { ok: false; problem: string } {
  const match = COMPARISON.exec(text);
  const operator = match?.[1] === undefined ? undefined : OPERATORS[match[1]];
  const bound = Number(match?.[2]);
  if (operator === undefined || !Number.isFinite(bound)) {
    return {
      ok: false,
      problem: `${JSON.stringify(text.slice(0, 64))} is no comparison; write an operator and a number, for example "<= 0.01" or "> 5"`,
    };
  }
  return { ok: true, comparison: { text: `${match![1]} ${match![2]}`, holds: (value) => operator(value, bound) } };
}

/** The thresholds of a Prometheus check. Without `failIf` whatever does not pass has failed. */
export interface Thresholds {
  readonly passIf: Comparison;
  readonly failIf?: Comparison;
}

/** Reads both thresholds of a Prometheus check, or says which one is wrong. */
export function parseThresholds(check: {
  readonly passIf: string;
  readonly failIf?: string | undefined;
}): { ok: true; thresholds: Thresholds } | { ok: false; problem: string } {
  const passIf = parseComparison(check.passIf);
  if (!passIf.ok) return { ok: false, problem: `passIf ${passIf.problem}` };
  if (check.failIf === undefined) return { ok: true, thresholds: { passIf: passIf.comparison } };
  const failIf = parseComparison(check.failIf);
  if (!failIf.ok) return { ok: false, problem: `failIf ${failIf.problem}` };
  return { ok: true, thresholds: { passIf: passIf.comparison, failIf: failIf.comparison } };
}
