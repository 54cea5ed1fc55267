const NEWLINE = 0x0a;

/** A line longer than this is no event: the largest object of the API is a hundredth of it. */
const LONGEST_LINE = 64 * 1024 * 1024;

/**
 * Cuts a stream of bytes into lines at \n and at nothing else: line readers also cut at U+2028, in the middle of an event.
 * What follows the last \n is no line (the connection was cut there); it is dropped, and `truncated` is called.
 */
export async function* lines(bytes: AsyncIterable<Uint8Array>, truncated: (length: number) => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      const line = parts.length === 1 ? decoder.decode(parts[0]) : decoder.decode(Buffer.concat(parts));
      parts = [];
      length = 0;
      start = end + 1;
      if (line !== "") yield line;
    }
    if (start === chunk.length) continue;
    parts.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > LONGEST_LINE) throw new Error(`a line of more than ${LONGEST_LINE} bytes`);
  }
  if (length > 0) truncated(length);
}
