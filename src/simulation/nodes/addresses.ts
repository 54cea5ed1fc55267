import { createHash } from "node:crypto";
import type { ContainerRuntime } from "./container-runtime.ts";

export interface ReservedAddress {
  readonly address: string;
  readonly release: () => Promise<void>;
}

/** 0 to 15 are left to others: 127.0.x and 127.1.x are where other programs listen. */
const FIRST_POP_OCTET = 16;
const POP_OCTETS = 239;
const HOSTS = 254;
const MOST_TRIES = HOSTS * 8;

/**
 * The address of a node: 127.<pop>.<n / 254>.<n> (10.… in memory), n by a hash of its name, the next one where somebody has it already.
 * So a node keeps its address over restarts, and two runs side by side find different ones. `preferred` is tried first.
 */
export async function reserveAddress(runtime: ContainerRuntime, pop: string, node: string, preferred?: string): Promise<ReservedAddress> {
  const popOctet = FIRST_POP_OCTET + (hash(pop) % POP_OCTETS);
  const start = hash(`${pop}/${node}`) % HOSTS;
  for (let tried = -1; tried < MOST_TRIES; tried++) {
    if (tried < 0 && preferred === undefined) continue;
    const address =
      tried < 0 ? preferred! : `${runtime.firstOctet}.${popOctet}.${Math.floor(tried / HOSTS)}.${1 + ((start + tried) % HOSTS)}`;
    const release = await runtime.reserve(address);
    if (release) return { address, release };
  }
  const below = `${runtime.firstOctet}.${popOctet}`;
  throw new Error(`Node ${node} of PoP ${pop}: ${MOST_TRIES} addresses below ${below} are all taken; end what else runs there.`);
}

const hash = (text: string): number => createHash("sha256").update(text).digest().readUInt32BE(0);
