// The record of every field that a kind ever had, docs/reference/crd-fields.txt. The API server cuts off what a kind does not know, so a
// field that leaves is lost from every stored object, and an older operator that still writes it finds it gone (rule I21): the record is
// made longer by npm run gen, and never shorter.
import { parse } from "yaml";

export const CRD_FIELDS = "docs/reference/crd-fields.txt";

const HEADER = `# Every field of every kind that was ever committed: kind, version, path, type, (required), default, choices. npm run gen adds to it and
# takes nothing away. A test fails where a kind has lost a field, requires one that it did not, or means another default: stored objects
# and operators of another version would suffer (rule I21). Whoever has to do it all the same takes the line out by hand, in a commit that
# says who is hurt and what they do, and writes it into CHANGELOG.md.
`;

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
}

interface Field {
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  /** As JSON; absent: none. */
  readonly default?: string;
  readonly choices?: readonly string[];
}

/** The fields of CRDs, each a YAML document, as lines of the record, sorted. */
export function fieldsOf(crds: Iterable<string>): string[] {
  const lines = [...crds].flatMap((text) => {
    const { spec } = parse(text) as {
      spec: { names: { kind: string }; versions: { name: string; schema: { openAPIV3Schema: Schema } }[] };
    };
    return spec.versions.flatMap(({ name, schema: { openAPIV3Schema: root } }) =>
      ["spec", "status"].flatMap((part) => {
        const schema = root.properties?.[part];
        const place = `${spec.names.kind} ${name} ${part}`;
        return schema === undefined ? [] : fieldsBelow(schema, place, root.required?.includes(part) ?? false);
      }),
    );
  });
  return lines.map(lineOf).toSorted();
}

function fieldsBelow(schema: Schema, path: string, required: boolean): Field[] {
  const { properties = {}, items, additionalProperties, default: byDefault, enum: choices } = schema;
  const type = schema["x-kubernetes-int-or-string"]
    ? "int-or-string"
    : `${schema.type ?? "any"}${schema["x-kubernetes-preserve-unknown-fields"] ? " of anything" : ""}`;
  const own: Field = {
    path,
    type,
    required,
    ...(byDefault === undefined ? {} : { default: JSON.stringify(byDefault) }),
    ...(choices === undefined ? {} : { choices: choices.map(String).toSorted() }),
  };
  return [
    own,
    ...Object.entries(properties).flatMap(([name, one]) => fieldsBelow(one, `${path}.${name}`, schema.required?.includes(name) ?? false)),
    ...(items === undefined ? [] : fieldsBelow(items, `${path}[]`, false)),
    ...(typeof additionalProperties === "object" ? fieldsBelow(additionalProperties, `${path}{}`, false) : []),
  ];
}

const lineOf = ({ path, type, required, default: byDefault, choices }: Field): string =>
  [
    `${path}: ${type}`,
    ...(required ? ["(required)"] : []),
    ...(byDefault === undefined ? [] : [`= ${byDefault}`]),
    ...(choices === undefined ? [] : [`of ${choices.join("|")}`]),
  ].join(" ");

const LINE = /^(\S+ \S+ \S+): (\S+(?: of anything)?)( \(required\))?(?: = (.*?))?(?: of (\S+))?$/;

/** A line of the record, read back; throws on what no line of it looks like. */
function fieldIn(line: string): Field {
  const [, path, type, required, byDefault, choices] = LINE.exec(line) ?? [];
  if (path === undefined || type === undefined) throw new Error(`${CRD_FIELDS} has a line that cannot be read: ${line}`);
  return {
    path,
    type,
    required: required !== undefined,
    ...(byDefault === undefined ? {} : { default: byDefault }),
    ...(choices === undefined ? {} : { choices: choices.split("|") }),
  };
}

/** The lines of a record, without what is said about them. */
export const recorded = (text: string): string[] => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

interface Loss {
  readonly path: string;
  readonly sentence: string;
}

/** What a stored object or an operator of another version would suffer; empty where a kind only grew. A sentence for each. */
export const losses = (record: readonly string[], today: readonly string[]): string[] =>
  lossesAmong(record, today).map(({ path, sentence }) => `${path} ${sentence}`);

function lossesAmong(record: readonly string[], today: readonly string[]): Loss[] {
  const fields = new Map(today.map((line) => fieldIn(line)).map((field) => [field.path, field]));
  const known = new Set(record.map((line) => fieldIn(line).path));
  const changed = record.flatMap((line): Loss[] => {
    const before = fieldIn(line);
    const { path } = before;
    const now = fields.get(path);
    if (now === undefined) return [{ path, sentence: "is gone: what is stored in it would be cut off" }];
    return lossesOf(before, now).map((sentence) => ({ path, sentence }));
  });
  const demanded = [...fields.values()].filter((field) => isDemand(field, known));
  return [...changed, ...demanded.map(({ path }) => ({ path, sentence: "is new and required: objects that stand already are refused" }))];
}

function lossesOf(before: Field, now: Field): string[] {
  const missing = (before.choices ?? []).filter((choice) => now.choices !== undefined && !now.choices.includes(choice));
  return [
    ...(before.type === now.type ? [] : [`was ${before.type} and is ${now.type}: what is stored is refused`]),
    ...(now.required && !before.required && now.default === undefined ? ["is required and was not: objects without it are refused"] : []),
    ...(before.default === now.default || before.default === undefined
      ? []
      : [`means ${now.default ?? "nothing"} where nobody wrote it, and meant ${before.default}`]),
    ...(missing.length === 0 ? [] : [`takes ${missing.join(", ")} no more: objects that say so are refused`]),
  ];
}

/** A new field that is required refuses every object that stands already, unless its parent is new too. */
function isDemand({ path, required, default: byDefault }: Field, known: ReadonlySet<string>): boolean {
  const parent = path.replace(/(\.[^.]+|\[\]|\{\})$/, "");
  return required && byDefault === undefined && !known.has(path) && known.has(parent);
}

/** The record with what is new. What the kinds have lost stays as it was, so that it is told again at each look. */
export function grown(record: readonly string[], today: readonly string[]): string {
  const lost = new Set(lossesAmong(record, today).map(({ path }) => path));
  const kept = record.filter((line) => lost.has(fieldIn(line).path));
  const others = today.filter((line) => !lost.has(fieldIn(line).path));
  return `${HEADER}${[...kept, ...others].toSorted().join("\n")}\n`;
}
