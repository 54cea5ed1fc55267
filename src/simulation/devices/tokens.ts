import type { Caller, DeviceInventory } from "../../control/inventory.ts";
import { Grouped } from "./grouped.ts";

interface Token extends Caller {
  readonly hash: string;
  readonly expiresAt?: number;
}

const ownerOf = ({ account, serial }: { readonly account: string; readonly serial?: string }): string => JSON.stringify([account, serial]);

/** Tokens by their hash, and by whose they are. */
export class Tokens {
  readonly #owners = new Map<string, string>();
  readonly #tokens = new Grouped<Token>();

  callerOf(hash: string, now: number): Caller | undefined {
    const owner = this.#owners.get(hash);
    const token = owner === undefined ? undefined : this.#tokens.get(owner, hash);
    if (token === undefined || (token.expiresAt ?? Infinity) <= now) return undefined;
    return { account: token.account, ...(token.serial === undefined ? {} : { serial: token.serial }) };
  }

  /** Nobody has a token of this hash, or he himself. */
  isFree({
    account,
    serial,
    tokenHash: hash,
  }: Pick<Parameters<DeviceInventory["enroll"]>[0], "account" | "serial" | "tokenHash">): boolean {
    const owner = this.#owners.get(hash);
    return owner === undefined || owner === ownerOf({ account, ...(serial === undefined ? {} : { serial }) });
  }

  /** Adds one and shortens the others of the same owner. Answers how many there were. */
  add({ account, serial, tokenHash: hash, expiresAt, oldTokensUntil }: Parameters<DeviceInventory["enroll"]>[0]): number {
    const caller = { account, ...(serial === undefined ? {} : { serial }) };
    const owner = ownerOf(caller);
    const before = this.#tokens.of(owner);
    for (const token of before) {
      const until = Math.min(token.expiresAt ?? Infinity, oldTokensUntil);
      if (token.hash !== hash) this.#tokens.set(owner, token.hash, { ...token, expiresAt: until });
    }
    this.#owners.set(hash, owner);
    this.#tokens.set(owner, hash, { ...caller, hash, ...(expiresAt === undefined ? {} : { expiresAt }) });
    return before.length;
  }
}
