import { SaxesParser } from "saxes";
import { type Element, isTooLarge, LIMITS, type Unreadable } from "./element.ts";

interface Open {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
}

/** Ends the parser at once: nothing of what follows is read. */
class Refused extends Error {}

/**
 * An XML body as an element (Omaha 3.0 and 3.1). A document type is refused where it begins, so no entity can be declared: nothing grows
 * while it is read, and nothing is fetched. Only the five entities of XML itself and character references are known; another one is an
 * error of the document.
 */
export function parseXml(text: string, root: string): Element | Unreadable {
  if (isTooLarge(text)) return { problem: `the body is larger than ${LIMITS.bytes} bytes` };
  try {
    return documentOf(text, root);
  } catch (error) {
    if (error instanceof Refused) return { problem: error.message };
    return { problem: `the body is no XML; write <${root} protocol="3.1"><app appid="…" version="…"><updatecheck/></app></${root}>` };
  }
}

/** Throws Refused for what is not read, and the parser's own error for what is no XML. */
function documentOf(text: string, root: string): Element {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const open: Open[] = [];
  const found: { document?: Open } = {};
  let elements = 0;
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("doctype", () => {
    throw new Refused("the body has a document type; leave <!DOCTYPE …> out, entities are not read");
  });
  parser.on("opentag", ({ name, attributes }) => {
    elements += 1;
    if (elements > LIMITS.elements) throw new Refused(`the body has more than ${LIMITS.elements} elements`);
    if (open.length >= LIMITS.depth) throw new Refused(`the body is deeper than ${LIMITS.depth} elements`);
    const element: Open = { name, attributes: new Map(Object.entries(attributes).slice(0, LIMITS.attributes)), children: [] };
    open.at(-1)?.children.push(element);
    found.document ??= element;
    open.push(element);
  });
  parser.on("closetag", () => void open.pop());
  parser.write(text).close();
  if (found.document?.name !== root) throw new Refused(`the body has no ${root}; write <${root} protocol="3.1">…</${root}>`);
  return found.document;
}
