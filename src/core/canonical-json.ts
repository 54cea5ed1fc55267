/** JSON with sorted keys, so that the same content has the same text whoever wrote it. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** Would both have the same canonical JSON: the order of keys counts nothing, and undefined is left out. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return canonicalJson(one) === canonicalJson(other);
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) && Array.isArray(other) && one.length === other.length && one.every((item, index) => sameJson(item, other[index]))
    );
  }
  const [left, right] = [one as Readonly<Record<string, unknown>>, other as Readonly<Record<string, unknown>>];
  const missing = (key: string) => left[key] === undefined && right[key] !== undefined;
  return (
    Object.keys(left).every((key) =>
      left[key] === undefined ? right[key] === undefined : right[key] !== undefined && sameJson(left[key], right[key]),
    ) && !Object.keys(right).some(missing)
  );
}
