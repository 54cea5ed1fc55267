import { ACCOUNT } from "../../control/device-credentials.ts";

/** A call of a Client (Omaha), by its path: `/omaha/v1/ACCOUNT`, the token behind it where a client is told nothing but an address. */
export interface ClientPath {
  readonly account: string;
  /** In place of `Authorization: ClientToken …`; empty: something stands there that can be none. */
  readonly token?: string;
  /** A file of the gateway's own folder, in place of a check-in. */
  readonly artifact?: string;
}

const PREFIX = "/omaha/v1/";
const ARTIFACTS = "artifacts";
const TOKEN = /^[0-9A-Za-z_.~-]{16,256}$/;
const FILE = /^[0-9A-Za-z][0-9A-Za-z._-]{0,254}$/;
/** Longer paths are nobody's. */
const LONGEST = 768;

/** Which call a request is; undefined: none of a Client. A query (`?cup2key=…`) says nothing to us. */
export function clientPathOf(url: string): ClientPath | undefined {
  if (!url.startsWith(PREFIX) || url.length > LONGEST) return undefined;
  const [account = "", ...rest] = url.slice(PREFIX.length).split("?", 1)[0]!.split("/");
  if (!ACCOUNT.test(account)) return undefined;
  const token = rest[0] === undefined || rest[0] === ARTIFACTS ? undefined : tokenIn(rest.shift()!);
  const path = { account, ...(token === undefined ? {} : { token }) };
  if (rest.length === 0) return path;
  const [folder, file = ""] = rest;
  return folder === ARTIFACTS && rest.length === 2 && FILE.test(file) ? { ...path, artifact: file } : undefined;
}

/** What can be no token stays one that is nobody's: it is answered as a wrong one, not as an address that there is not (rule I15). */
const tokenIn = (text: string): string => (TOKEN.test(text) ? text : "");

/** The path under which the same caller fetches files. */
export const artifactFolder = ({ account, token }: ClientPath): string =>
  `${PREFIX}${account}${token === undefined ? "" : `/${token}`}/artifacts/`;
