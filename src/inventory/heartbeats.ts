import { sql } from "kysely";
import type { Queries } from "./engine.ts";
import type { DeviceTable } from "./schema.ts";

/** When a device was last heard, by the store's own clock. */
export interface Heartbeat {
  readonly polled?: number;
  readonly hint: number;
  readonly reported?: number;
}

interface Unwritten {
  readonly polled?: number;
  readonly hint?: number;
  readonly reported?: number;
}

const later = (written: number | null, unwritten: number | undefined): number | undefined =>
  unwritten !== undefined && unwritten > (written ?? 0) ? unwritten : (written ?? undefined);

/** Rows of one statement: four parameters each, far below what either store takes. */
const AT_ONCE = 500;

/**
 * Polls and equal reports change nothing but an instant, and come by the thousand: they are kept here and written together, once a
 * second. What is lost in a crash makes a device look heard a second earlier than it was, which no rule minds. Whatever else changes
 * (a first poll, a gap, another version) is written at once and not kept here.
 */
export class Heartbeats {
  readonly #unwritten = new Map<string, Unwritten>();

  get size(): number {
    return this.#unwritten.size;
  }

  polled(serial: string, polled: number, hint: number): void {
    this.#unwritten.set(serial, { ...this.#unwritten.get(serial), polled, hint });
  }

  reported(serial: string, reported: number): void {
    this.#unwritten.set(serial, { ...this.#unwritten.get(serial), reported });
  }

  /** The newest of what is written and what is not yet. */
  of(row: Pick<DeviceTable, "serial" | "polled_real" | "hint_ms" | "attributes_real">): Heartbeat {
    const kept = this.#unwritten.get(row.serial);
    const polled = later(row.polled_real, kept?.polled);
    const reported = later(row.attributes_real, kept?.reported);
    return {
      ...(polled === undefined ? {} : { polled }),
      hint: kept?.polled !== undefined && polled === kept.polled ? (kept.hint ?? row.hint_ms) : row.hint_ms,
      ...(reported === undefined ? {} : { reported }),
    };
  }

  /** Writes what is kept, in the order of the serials so that two gateways do not wait for each other; kept on where it fails. */
  async write(db: Queries): Promise<void> {
    const all = [...this.#unwritten].toSorted(([a], [b]) => (a < b ? -1 : 1));
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const some = all.slice(from, from + AT_ONCE);
      await writeBeats(db, some);
      // One that was heard again meanwhile is another object, and stays.
      for (const [serial, beat] of some) if (this.#unwritten.get(serial) === beat) this.#unwritten.delete(serial);
    }
  }
}

/** Never back in time: another gateway may have heard the device since, and have written it already. */
async function writeBeats(db: Queries, beats: readonly (readonly [string, Unwritten])[]): Promise<void> {
  const number = (value: number | undefined) => sql`cast(${value ?? null} as bigint)`;
  const values = beats.map(
    ([serial, { polled, hint, reported }]) => sql`(cast(${serial} as text), ${number(polled)}, ${number(hint)}, ${number(reported)})`,
  );
  await sql`
    update device set
      polled_real = case when coalesce(beat.column2, 0) > coalesce(device.polled_real, 0) then beat.column2 else device.polled_real end,
      hint_ms = case when coalesce(beat.column2, 0) > coalesce(device.polled_real, 0) then beat.column3 else device.hint_ms end,
      attributes_real = case when coalesce(beat.column4, 0) > coalesce(device.attributes_real, 0)
        then beat.column4 else device.attributes_real end
    from (values ${sql.join(values)}) as beat
    where device.serial = beat.column1
  `.execute(db);
}
