import type { Prober } from "../control/ports.ts";
import type { Told } from "../control/told.ts";
import type { Operator } from "../control/operator.ts";

/** What an operator says of itself when it is asked. */
export type WatchedOperator = Pick<Operator, "ages" | "tunnels"> & { readonly namespace: string; leads(): boolean };

/** Who watches an operator in memory as a Prometheus watches a real one: what is told, counted and timed of its work. Nothing may throw. */
export interface OperatorWatch {
  readonly told: Told;
  /** The same prober, its questions timed. */
  timed(prober: Prober): Prober;
  /** A call to the API server was answered; code 0: it was not. */
  called(call: { readonly verb: string; readonly kind: string; readonly code: number }): void;
  /** A receiver took a notice of that kind. */
  noticeSent(kind: string): void;
  /** A device was answered: a Socket (`ddi`) or a Client (`omaha`). */
  checkedIn(protocol: "ddi" | "omaha", answer: string, seconds: number): void;
  /** From now on this operator is asked at each scrape. */
  began(operator: WatchedOperator): void;
}
