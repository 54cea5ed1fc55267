/**
 * The text of a file's bytes. Throws a sentence that names the line and the byte where they are no UTF-8: read all the same, each such
 * letter would become the same replacement character, and two names of people one.
 */
export function utf8Text(bytes: Uint8Array): string {
  const text = decoded(bytes);
  if (text !== undefined) return text;
  let [line, from] = [1, 0];
  for (;;) {
    // No letter of UTF-8 holds the byte of a line's end, so each line stands for itself.
    const end = bytes.indexOf(0x0a, from);
    const whole = bytes.subarray(from, end === -1 ? undefined : end);
    if (end === -1 || decoded(whole) === undefined) {
      const byte = whole[wrongByte(whole)] ?? 0;
      const hex = byte.toString(16).toUpperCase().padStart(2, "0");
      throw new Error(`line ${line} holds the byte 0x${hex}, which is no UTF-8; save it as UTF-8`);
    }
    [line, from] = [line + 1, end + 1];
  }
}

/** A byte order mark stays, as in any other reading of a text. */
function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Where the first letter that is none begins: everything before it is text. */
function wrongByte(line: Uint8Array): number {
  let good = 0;
  for (let end = 1; end <= line.length; end += 1) if (decoded(line.subarray(good, end)) !== undefined) good = end;
  return good;
}
