/** A rule that the API server evaluates (CEL), with the sentence that a person reads when it is broken: what to write instead. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  /** Where the error points to, below the node that bears the rule: `.anchor`. */
  readonly fieldPath?: string;
}

/**
 * Rules for `.meta()`. On a string they stand for its whole form: the schema's pattern, format and minimum length are then left out of
 * the CRD, because the server looks at rules only when the schema is satisfied, and "should match '^(…" helps nobody.
 * One call a node: a second `.meta()` with rules replaces the first.
 */
export const rules = (...list: readonly CelRule[]) => ({ "x-kubernetes-validations": list });

/** A list whose items are told apart by these fields; appliers own items. */
export const mapList = (...keys: readonly string[]) => ({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys });
/** A list of scalars in which none comes twice. */
export const SET_LIST = { "x-kubernetes-list-type": "set" };
/** A list that is replaced as a whole. */
export const ATOMIC_LIST = { "x-kubernetes-list-type": "atomic" };

/**
 * A Go-like duration without signs, fractions or units that Kubernetes would read otherwise: `336h`, `5m`, `1h30m`. The digits are
 * bounded because CEL's `duration()` fails on what does not fit 64 bits, with a message about integers.
 */
export const DURATION_PATTERN = "^([0-9]{1,6}h)?([0-9]{1,7}m)?([0-9]{1,9}s)?$";

/** CEL: is the text at `path` a duration? Rules that compare durations ask first, else a typo is reported twice, once cryptically. */
export const isDuration = (path: string): string => `${path}.matches('${DURATION_PATTERN}') && ${path}.size() >= 2`;
/** CEL: is the text at `path` a date of the calendar? 2026-02-30 is none. */
export const isDate = (path: string): string => `!format.date().validate(${path}).hasValue()`;

const NUMBER = "(0|[1-9][0-9]{0,14})";
const PRE_RELEASE_PART = "(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
/** Rule V1 as a regular expression of the API server; `parseVersion` accepts the same texts. */
export const VERSION_PATTERN = `^${NUMBER}([.]${NUMBER}){1,3}(-${PRE_RELEASE_PART}([.]${PRE_RELEASE_PART})*)?$`;
const RANGE_PART = "([0-9]{1,15}|[xX*])";
const RANGE_TOKEN = `>=|<=|[<>=~^]|[|][|]|${RANGE_PART}([.]${RANGE_PART}){0,3}(-[0-9A-Za-z.-]+)?`;
/** What a range of versions is written with. Whether it makes sense is `rangeProblem`'s to say; words never do. */
export const RANGE_PATTERN = `^( ?(${RANGE_TOKEN}))+$`;
/** The version of content (signatures and the like): a name that orders nothing. */
export const CONTENT_VERSION_PATTERN = "^[0-9A-Za-z_][0-9A-Za-z_.-]*$";

/** CEL: every index of a list of at most `most` items; CEL itself has no loop that counts. */
export const indexes = (most: number): string => `[${Array.from({ length: most }, (_, index) => index).join(",")}]`;

/** A field that says what a rollout is. It stays: Approvals, verdicts, notices and histories are of exactly this. */
export const fixed = (field: string, message: string): CelRule => ({
  rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
  message,
  fieldPath: `.${field}`,
});
