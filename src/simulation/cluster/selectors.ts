import type { LabelSelector } from "../../control/kinds.ts";
import { badRequest } from "./errors.ts";

type Labels = Readonly<Record<string, string>> | undefined;
type Test = (labels: Labels) => boolean;

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** One requirement of a selector or node affinity; an unknown operator matches nothing. */
export function meets(labels: Labels, { key, operator, values = [] }: Requirement): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(values[0]);
    case "Lt":
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** The selector of a DaemonSet or PodDisruptionBudget; empty matches everything, absent nothing. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => meets(labels, { key, operator: "In", values: [value] }));
  return equal && (selector.matchExpressions ?? []).every((requirement) => meets(labels, requirement));
}

const SET_BASED = /^([-\w./]+)\s+(in|notin)\s*\(([-\w.,\s]*)\)$/;
const EQUALITY = /^([-\w./]+)\s*(==|=|!=)\s*([-\w.]*)$/;

/** A selector in its text form (`a=b, c!=d, e in (f,g), h notin (i), j, !k`); throws a 400 on anything else. */
export function parseLabelSelector(text: string): Test {
  const requirements = splitOutsideParentheses(text).map(parseRequirement);
  return (labels) => requirements.every((requirement) => meets(labels, requirement));
}

function splitOutsideParentheses(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function parseRequirement(part: string): Requirement {
  const set = SET_BASED.exec(part);
  if (set) return { key: set[1]!, operator: set[2] === "in" ? "In" : "NotIn", values: set[3]!.split(",").map((value) => value.trim()) };
  const equality = EQUALITY.exec(part);
  if (equality) return { key: equality[1]!, operator: equality[2] === "!=" ? "NotIn" : "In", values: [equality[3]!] };
  const bare = /^(!?)\s*([-\w./]+)$/.exec(part);
  if (bare) return { key: bare[2]!, operator: bare[1] === "!" ? "DoesNotExist" : "Exists" };
  throw badRequest(`The label selector has "${part}", which is no requirement: write key=value, key in (a,b), key or !key.`);
}

/** A field selector (`metadata.name=x,spec.nodeName!=y`) over the fields that the kind offers; throws a 400 for others. */
export function parseFieldSelector<T>(text: string, fields: Readonly<Record<string, (object: T) => string>>): (object: T) => boolean {
  const terms = text.split(",").filter((term) => term.trim() !== "");
  const tests = terms.map((term) => {
    const [, field, operator, value] = /^\s*([^\s=!]+)\s*(==|=|!=)(.*)$/.exec(term) ?? [];
    const read = field === undefined ? undefined : fields[field];
    if (read === undefined || value === undefined) {
      throw badRequest(`The field selector has "${term}": this kind can be selected by ${Object.keys(fields).join(", ")}.`);
    }
    return (object: T) => (read(object) === value.trim()) === (operator !== "!=");
  });
  return (object) => tests.every((test) => test(object));
}
