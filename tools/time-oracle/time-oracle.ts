/** Somebody who knows local time and shares no code with src/core/time. Seconds since 1970; local seconds as if the clock hung in UTC. */
export interface TimeOracle {
  readonly name: string;
  /** [instant, offset before, offset after], for each change of the offset in [from, to]. */
  transitions(zone: string, from: number, to: number): Promise<[number, number, number][]>;
  /** The earliest instants at which the clock reads at or after the nominal ones. */
  starts(zone: string, nominal: readonly number[]): Promise<number[]>;
  close(): Promise<void>;
}
