import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { badRequest, type Reply } from "./reply.ts";

/** Reports and feedback are some hundred bytes; logs of an installation a few thousand. */
const LARGEST = 65_536;

const TOO_LARGE: Reply = { status: 413, text: `a body has at most ${LARGEST} bytes; send fewer details\n` };

/**
 * The body as JSON, undefined where there is none; or the answer to one that is too large or no JSON. A log line in another encoding costs
 * the letters that cannot be read, and not the result beside it.
 */
export async function readBody(request: IncomingMessage): Promise<{ readonly body: unknown } | { readonly reply: Reply }> {
  if (request.method === "GET" || request.method === "HEAD") return { body: undefined };
  const read = await readBytes(request);
  if ("reply" in read) return read;
  try {
    return { body: JSON.parse(read.bytes.toString("utf8")) };
  } catch {
    return { reply: badRequest("the body is no JSON") };
  }
}

/** The body as text; or the answer to one that is too large or no UTF-8: names in it would lose letters, and two devices become one. */
export async function readText(request: IncomingMessage): Promise<{ readonly text: string } | { readonly reply: Reply }> {
  const read = await readBytes(request);
  if ("reply" in read) return read;
  return isUtf8(read.bytes) ? { text: read.bytes.toString("utf8") } : { reply: badRequest("the body is no UTF-8; write it in UTF-8") };
}

/** Of 64 kB at most, or the answer to more. Hears the stream itself: an iterator over it costs as much as the parsing. */
function readBytes(request: IncomingMessage): Promise<{ readonly bytes: Buffer } | { readonly reply: Reply }> {
  if (Number(request.headers["content-length"] ?? 0) > LARGEST) return Promise.resolve({ reply: TOO_LARGE });
  // The device went away in the middle, as on every bad line: nobody reads the answer, and nothing of what it sent is believed.
  const broken = { reply: badRequest("the connection ended in the middle of the body") };
  if (request.destroyed) return Promise.resolve(broken);
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve) => {
    const settle = (read: Awaited<ReturnType<typeof readBytes>>): void => {
      request.off("data", take).off("end", end).off("error", breaks).off("close", breaks);
      resolve(read);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= LARGEST) return void chunks.push(chunk);
      // Not closed, for the answer goes out on it; and not read any further.
      request.pause();
      settle({ reply: TOO_LARGE });
    };
    const end = (): void => settle({ bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) });
    const breaks = (): void => settle(broken);
    request.on("data", take).on("end", end).on("error", breaks).on("close", breaks);
  });
}
