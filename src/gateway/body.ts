import type { IncomingMessage } from "node:http";
import { badRequest, type Reply } from "./reply.ts";

/** Reports and feedback are some hundred bytes; logs of an installation a few thousand. */
const LARGEST = 65_536;

const TOO_LARGE: Reply = { status: 413, text: `a body has at most ${LARGEST} bytes; send fewer details\n` };

/** The body as JSON, undefined where there is none; or the answer to one that is too large or no JSON. */
export async function readBody(request: IncomingMessage): Promise<{ readonly body: unknown } | { readonly reply: Reply }> {
  if (request.method === "GET" || request.method === "HEAD") return { body: undefined };
  const read = await readText(request);
  if ("reply" in read) return read;
  try {
    return { body: JSON.parse(read.text) };
  } catch {
    return { reply: badRequest("the body is no JSON") };
  }
}

/** The body as text, of 64 kB at most; or the answer to a larger one. */
export async function readText(request: IncomingMessage): Promise<{ readonly text: string } | { readonly reply: Reply }> {
  if (Number(request.headers["content-length"] ?? 0) > LARGEST) return { reply: TOO_LARGE };
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop early must not close the connection: the answer goes out on it.
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST) return { reply: TOO_LARGE };
      chunks.push(chunk);
    }
  } catch {
    // The device went away in the middle, as on every bad line: nobody reads the answer, and nothing of what it sent is believed.
    return { reply: badRequest("the connection ended in the middle of the body") };
  }
  return { text: Buffer.concat(chunks).toString("utf8") };
}
