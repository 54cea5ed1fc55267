import { isIP } from "node:net";

/** Which hosts the provider lets accounts have their notices sent to (settings `--notice-hosts` and `--notice-private-hosts`). */
export interface AllowedHosts {
  /** Names, or `*.suffix`; what they resolve to has to be a public address. */
  readonly hosts: readonly string[];
  /**
   * Names or addresses, whole; these may also be addresses of our own network. `ACCOUNT=HOST` is for that account alone; without an account
   * every tenant may have notices sent there, and so reaches it.
   */
  readonly privateHosts: readonly string[];
}

/** An address that may be called, taken apart. */
export interface NoticeAddress {
  readonly url: URL;
  /** Without brackets, in lower case, without a last dot. */
  readonly host: string;
  /** It may be an address of our own network. */
  readonly mayBePrivate: boolean;
}

/**
 * Reads the address of a channel. An account writes it, and our process would call it from inside the provider's network: so only https,
 * only to hosts that the provider named, to this account. Otherwise a sentence for the account; the path is left out of it, for it often is
 * a secret, and of another account's host no more is said than of any other (rule I15).
 */
export function readAddress(
  text: string,
  { hosts, privateHosts }: AllowedHosts,
  account: string,
): NoticeAddress | { readonly problem: string } {
  if (!URL.canParse(text)) return { problem: "it is no address; write for example https://hooks.acme.example/rollward" };
  const url = new URL(text);
  if (url.protocol !== "https:") return { problem: `notices go over https, not ${url.protocol.slice(0, -1)}; write https://` };
  if (url.username !== "" || url.password !== "") return { problem: "it holds a user name; leave that out" };
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const mayBePrivate = privateHosts.includes(host) || privateHosts.includes(`${account}=${host}`);
  if (mayBePrivate || hosts.some((pattern) => matches(host, pattern))) return { url, host, mayBePrivate };
  return { problem: `the provider allows no notices to ${host}; ask for it (setting --notice-hosts), or write another address` };
}

const matches = (host: string, pattern: string): boolean =>
  pattern.startsWith("*.") ? isIP(host) === 0 && host.endsWith(pattern.slice(1)) : host === pattern;
