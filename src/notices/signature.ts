import { createHmac } from "node:crypto";

/** Shorter keys can be guessed. */
export const SHORTEST_KEY = 32;

/**
 * The secret of one account, made from the provider's key: with one key for all, whoever checks a signature could also make one for
 * another account (rule I15). 32 bytes.
 */
export const accountSecret = (key: string, account: string): Buffer =>
  createHmac("sha256", key).update(`rollward notices\n${account}`).digest();

/** As receivers' libraries read it (Standard Webhooks). */
export const writtenSecret = (key: string, account: string): string => `whsec_${accountSecret(key, account).toString("base64")}`;

interface Signed {
  readonly id: string;
  /** Calendar milliseconds of the sending: a receiver refuses what is old, so that a caught notice is of no use later. */
  readonly at: number;
  readonly body: string;
}

/** The headers of Standard Webhooks: HMAC-SHA256 over id, time and body. */
export function signatureHeaders(secret: Buffer, { id, at, body }: Signed): Record<string, string> {
  const seconds = String(Math.floor(at / 1_000));
  const signature = createHmac("sha256", secret).update(`${id}.${seconds}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": `v1,${signature}` };
}
