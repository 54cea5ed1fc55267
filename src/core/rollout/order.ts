import { createHash } from "node:crypto";

/** A short, stable hash of its parts, in lower-case base32; the parts cannot run into each other. */
export function stableHash(parts: readonly (string | number)[], length = 10): string {
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest();
  return base32(digest).slice(0, length);
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** RFC 4648 base32 in lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let bits = 0;
  let value = 0;
  let text = "";
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      text += ALPHABET[(value >>> (bits - 5)) & 31];
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(value << (5 - bits)) & 31] : text;
}

/**
 * Order by a hash of (UID, rollout, version), never by chance (rule G7): reproducible, and different for each version.
 */
export function byStableHash<Item>(items: readonly Item[], uid: (item: Item) => string, salt: readonly (string | number)[]): Item[] {
  return items
    .map((item) => ({ item, key: stableHash([uid(item), ...salt], 24) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ item }) => item);
}
