import { type Element, isTooLarge, LIMITS, type Unreadable } from "./element.ts";

/**
 * A JSON body as an element (Omaha 3.1): scalars are attributes, objects are elements, a list of objects is several elements of one name.
 * What is neither is left out. Nothing is looked up by a name of the body, so `__proto__` is a name as any other.
 */
export function parseJson(text: string, root: string): Element | Unreadable {
  if (isTooLarge(text)) return { problem: `the body is larger than ${LIMITS.bytes} bytes` };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { problem: 'the body is no JSON; write {"request": {"protocol": "3.1", "app": […]}}' };
  }
  const found = isObject(body) && Object.hasOwn(body, root) ? body[root] : undefined;
  if (!isObject(found)) return { problem: `the body has no ${root}; write {"${root}": {"protocol": "3.1", "app": […]}}` };
  const counter = { left: LIMITS.elements };
  const element = elementOf(root, found, 1, counter);
  return element ?? { problem: `the body has more than ${LIMITS.elements} elements, or is deeper than ${LIMITS.depth}` };
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** Undefined when a limit is passed. */
function elementOf(name: string, fields: Fields, depth: number, counter: { left: number }): Element | undefined {
  counter.left -= 1;
  if (depth > LIMITS.depth || counter.left < 0) return undefined;
  const attributes = new Map<string, string>();
  const children: Element[] = [];
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      if (attributes.size < LIMITS.attributes) attributes.set(key, String(value));
      continue;
    }
    for (const item of Array.isArray(value) ? value : [value]) {
      if (!isObject(item)) continue;
      const child = elementOf(key, item, depth + 1, counter);
      if (child === undefined) return undefined;
      children.push(child);
    }
  }
  return { name, attributes, children };
}
