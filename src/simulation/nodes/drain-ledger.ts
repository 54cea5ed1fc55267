/** One call of `/drain` or `/undrain`, already read: who asks, and which container instance is meant. */
export interface DrainOrder {
  /** Opaque; the operator makes it of (PoPCluster UID, run, node UID, attempt). */
  readonly token: string;
  readonly podUID: string;
  readonly containerID: string;
  /**
   * Grows with each claim of the node. A token is a hash, so "older" can be told from this alone. Without it only known tokens are
   * refused.
   */
  readonly sequence?: number;
}

export type DrainRefusal = "AnotherInstance" | "Cancelled" | "Older" | "HeldByAnother";
export type DrainAnswer =
  | { readonly accepted: true; readonly message: string }
  | { readonly accepted: false; readonly reason: DrainRefusal; readonly message: string };

/** More cancelled tokens than this are forgotten, oldest first; the sequence still refuses them. */
const MOST_CANCELLED = 256;

/** A pod's status writes the ID as `containerd://<id>`; a data plane knows only the bare one. */
const bareID = (containerID: string): string => containerID.replace(/^[^:]*:\/\//, "");

const accepted = (message: string): DrainAnswer => ({ accepted: true, message });
const refused = (reason: DrainRefusal, message: string): DrainAnswer => ({ accepted: false, reason, message });

/**
 * The drain of one container instance as rule G5a wants it: a level with a token and a lease. It lives in the memory of the instance,
 * so a restart forgets everything, and the instance's own identity refuses what was meant for the one before.
 */
export class DrainLedger {
  readonly #instance: { readonly podUID: string; readonly containerID: string };
  readonly #elapsed: () => number;
  readonly #cancelled = new Set<string>();
  #newest = -Infinity;
  #held: { readonly token: string; readonly until: number } | undefined;

  /** `elapsed`: monotonic milliseconds; a lease has nothing to do with calendar time. */
  constructor(instance: { readonly podUID: string; readonly containerID: string }, elapsed: () => number) {
    this.#instance = instance;
    this.#elapsed = elapsed;
  }

  /** The token that drains now, or undefined. A lease that has run out ends the drain and cancels its token. */
  get token(): string | undefined {
    if (this.#held && this.#elapsed() >= this.#held.until) this.#end(this.#held.token);
    return this.#held?.token;
  }

  /** Elapsed instant at which the lease runs out, or undefined when nothing drains. */
  get until(): number | undefined {
    return this.token === undefined ? undefined : this.#held?.until;
  }

  /** Starts or renews. A refusal changes nothing. */
  start(order: DrainOrder, leaseMilliseconds: number): DrainAnswer {
    const other = this.#otherInstance(order);
    if (other) return other;
    const held = this.token;
    const sequence = order.sequence ?? -Infinity;
    if (held !== order.token) {
      if (this.#cancelled.has(order.token))
        return refused("Cancelled", `Token ${order.token} was cancelled here, or its lease ran out; a new drain needs a new token.`);
      if (order.sequence !== undefined && sequence < this.#newest) {
        return refused("Older", `Sequence ${sequence} is older than ${this.#newest}, which was heard here; this start is late.`);
      }
      if (held !== undefined && !(sequence > this.#newest)) {
        return refused("HeldByAnother", `Token ${held} drains this instance; cancel it, or start with a higher sequence.`);
      }
      if (held !== undefined) this.#end(held);
    }
    this.#newest = Math.max(this.#newest, sequence);
    this.#held = { token: order.token, until: this.#elapsed() + leaseMilliseconds };
    return accepted(held === order.token ? "The lease is renewed." : "Draining.");
  }

  /** Ends the drain of this token and refuses it from now on, also when its start has not been heard yet. */
  cancel(order: DrainOrder): DrainAnswer {
    const other = this.#otherInstance(order);
    if (other) return other;
    this.#newest = Math.max(this.#newest, order.sequence ?? -Infinity);
    const draining = this.token === order.token;
    this.#end(order.token);
    return accepted(draining ? "Serving again." : "This token does not drain here; it is refused from now on.");
  }

  #end(token: string): void {
    if (this.#held?.token === token) this.#held = undefined;
    this.#cancelled.add(token);
    for (const oldest of this.#cancelled) {
      if (this.#cancelled.size <= MOST_CANCELLED) break;
      this.#cancelled.delete(oldest);
    }
  }

  #otherInstance({ podUID, containerID }: DrainOrder): DrainAnswer | undefined {
    const { podUID: ownPod, containerID: ownContainer } = this.#instance;
    if (podUID === ownPod && bareID(containerID) === bareID(ownContainer)) return undefined;
    return refused(
      "AnotherInstance",
      `Meant for pod ${podUID}, container ${containerID}; this is pod ${ownPod}, container ${ownContainer}.`,
    );
  }
}
