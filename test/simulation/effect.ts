import type { ApiError, JsonPatchOperation, Kind, KubernetesObject } from "../../src/control/ports.ts";
import type { World } from "../../src/simulation/world.ts";

/** One effect of one operator on the world outside its process, in the words of the node table. */
export interface Effect {
  readonly operator: string;
  /** Counts all effects of this operator, from 0. */
  readonly index: number;
  /** `claim`, `release`, `label-off`, `label-on`, `finalizer`, `status`, `grants`, `drain.start`, `drain.cancel`, `create DaemonSet` … */
  readonly name: string;
  /** The node, PoPCluster or other object that it is about; of a drain call the node. */
  readonly target: string;
  /** The token, the label's value or, of a PoPCluster's status, `run state/step of each node`. */
  readonly detail: string;
  /** Elapsed instant of the list of nodes that the decision rests on; -Infinity before the first. */
  readonly listedAt: number;
}

/** What befalls one effect. */
export interface Mishap {
  /** Elapsed milliseconds that the process sleeps between decision and effect. */
  readonly delayMilliseconds?: number;
  /** What the caller hears instead of an answer; the effect is done first when it `commits`. */
  readonly error?: ApiError;
  readonly commits?: boolean;
  /** The process dies before the effect, or when it is done and before the answer is heard. */
  readonly crash?: "before" | "after";
}

/** Small known-bad changes to what an operator sends or sees, for sabotage: the ports are the only place where they can be made. */
export interface Sabotage {
  readonly patch?: (kind: Kind, operations: readonly JsonPatchOperation[], effect: string) => readonly JsonPatchOperation[] | undefined;
  readonly list?: (kind: Kind, found: readonly KubernetesObject[]) => readonly KubernetesObject[];
  readonly get?: (kind: Kind, found: KubernetesObject | undefined) => KubernetesObject | undefined;
  readonly drain?: (
    body: Readonly<Record<string, unknown>>,
    verb: string,
    world: World,
    url: string,
  ) => Readonly<Record<string, unknown>> | undefined;
  /** Every write of a status wins, or those of this kind do. */
  readonly ignoresConflicts?: boolean | string;
  /** One object as the operator sees it, from a cache, by a get or in a list. */
  readonly view?: (kind: Kind, object: KubernetesObject) => KubernetesObject;
  /** A status as it is written. */
  readonly status?: (kind: Kind, object: KubernetesObject) => KubernetesObject;
}

/** An order to drain that a data plane took. */
export interface DrainOrder {
  readonly node: string;
  readonly containerID: string;
  readonly token: string;
  /** It did not drain with this token before. */
  readonly began: boolean;
  readonly sessionsServed: boolean;
}

export interface EffectObserver {
  sent(effect: Effect): void;
  /** After the effect: done, refused, or not heard. */
  ended(effect: Effect): void;
  /** A data plane took the order; synchronous with its ledger. */
  drained(effect: Effect, order: DrainOrder): void;
  failed(operator: string, error: unknown): void;
}
