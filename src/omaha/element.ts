import { cleanText } from "../core/text.ts";

/** What both encodings of Omaha are made of: a named element with attributes and elements in it. Text beside them means nothing. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
}

/** A sentence for the client's log: what was wrong with the body, and what is expected instead. */
export interface Unreadable {
  readonly problem: string;
}

/** What a body may be at most (rule I19): the largest request of a browser with a dozen apps is far below it. */
export const LIMITS = { bytes: 65_536, depth: 16, elements: 1_024, attributes: 64 } as const;

export const isUnreadable = (read: object): read is Unreadable => "problem" in read;

/** An attribute, stripped and capped (rule G12); undefined where it is missing or empty. */
export function attributeOf({ attributes }: Element, name: string, longest: number): string | undefined {
  const text = cleanText(attributes.get(name) ?? "", longest);
  return text === "" ? undefined : text;
}

export const childrenOf = ({ children }: Element, name: string): readonly Element[] => children.filter((child) => child.name === name);
export const childOf = (element: Element, name: string): Element | undefined => childrenOf(element, name)[0];

/** Bytes of the body as UTF-8; a body that is cut by the caller is as good. */
export const isTooLarge = (text: string): boolean => text.length > LIMITS.bytes || Buffer.byteLength(text) > LIMITS.bytes;
