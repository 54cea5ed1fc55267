import type { CompiledQuery, Kysely, RawBuilder, Transaction } from "kysely";
import type { Answering } from "./answering.ts";
import type { InventoryTables } from "./schema.ts";

/** What differs between the two stores; everything else is one set of queries. */
export interface Engine {
  /** For messages: without user and password. */
  readonly place: string;
  readonly db: Kysely<InventoryTables>;
  /** Resolves when the tables are today's; a server that was away at the start is brought up to date when it is there. */
  readonly prepared: () => Promise<void>;
  /** The store's own clock, in milliseconds; an accelerated calendar does not touch it, and all gateways of one store share it. */
  readonly real: () => RawBuilder<number>;
  /** A round trip to it costs more than the rows that it brings. */
  readonly isFar: boolean;
  /** Runs one statement that only reads, of what is committed; it waits for nobody's transaction. */
  readonly read: <Row>(statement: CompiledQuery<Row>) => Promise<readonly Row[]>;
  /** The same for one statement with each of some lists of values, all of one moment; answers the rows of each. */
  readonly readEach: <Row>(
    statement: CompiledQuery<Row>,
    parameters: readonly (readonly unknown[])[],
  ) => Promise<readonly (readonly Row[])[]>;
  /** Somebody else is in the way for the moment (a lock, a deadlock): the same again will do. */
  readonly isBusy: (error: unknown) => boolean;
  /** Tells the other processes, as a part of the transaction that changed something. */
  readonly announce: (transaction: Transaction<InventoryTables>) => Promise<void>;
  /**
   * A transaction that a power cut may undo after it was answered, whole: for what devices say again by themselves. A thousand that come
   * back at once would otherwise wait for the disk one by one. Commands, tokens, verdicts and notices are never written so.
   */
  readonly unsynced: <T>(work: (transaction: Transaction<InventoryTables>) => Promise<T>) => Promise<T>;
  /** Calls back when another process may have changed something. Returns what ends it. */
  readonly listen: (changed: () => void) => () => void;
  /** Hears of every call whether it was answered, and says so where that changes. */
  readonly answering: Answering;
  readonly close: () => Promise<void>;
}

/** One transaction's queries, or those of no transaction. */
export type Queries = Kysely<InventoryTables>;

/** A parameter of which the value is asked for when the statement is run: a clock, in a statement that is built once. */
class LateParameter {
  readonly value: () => number;
  constructor(value: () => number) {
    this.value = value;
  }
}

export const lateParameter = (value: () => number): unknown => new LateParameter(value);

/** The values that a store is given, of what a statement holds. */
export const valuesOf = (parameters: readonly unknown[]): unknown[] =>
  parameters.map((parameter) => (parameter instanceof LateParameter ? parameter.value() : parameter));
