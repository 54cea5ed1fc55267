import { hash, randomBytes } from "node:crypto";

/** What an account and a serial may be: in paths, on labels, and as common names of certificates. */
export const ACCOUNT = /^[0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?$/;
export const SERIAL = /^[0-9A-Za-z]([0-9A-Za-z._-]{0,62}[0-9A-Za-z])?$/;

const TOKEN_BYTES = 32;

/** A new token: 32 random bytes, shown once and kept by its hash. */
export const newToken = (): string => randomBytes(TOKEN_BYTES).toString("base64url");

/** As the inventory keeps it: the tokens are random, so a hash without salt tells nothing of them. */
export const hashOf = (token: string): string => hash("sha256", token, "hex");

/**
 * Whose the token of an account's Clients is. It lies on every computer of the account, so it must not speak for Sockets, as a gateway
 * token of the account may: a name that no account can have keeps the two apart wherever tokens are looked up or replaced (rule I15).
 */
export const clientsOf = (account: string): string => `clients:${account}`;
