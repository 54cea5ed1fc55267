import type { Device } from "../../../simulation/devices/device.ts";
import type { LedgerEntry } from "../../../simulation/devices/device-ledger.ts";
import { clockReads } from "../fleet/wall-clock.ts";
import { type CastSite, TARGET } from "./cast.ts";

/** A site and its Sockets, as they are in the field. */
export interface SocketLife {
  readonly site: CastSite;
  readonly devices: readonly Pick<Device, "serial" | "version" | "isUp" | "ledger">[];
}

/** One Socket was told to install, once. */
export interface Telling {
  readonly site: CastSite;
  readonly serial: string;
  readonly entry: LedgerEntry;
  readonly at: number;
}

export const tellingsOf = (lives: readonly SocketLife[]): readonly Telling[] =>
  lives
    .flatMap(({ site, devices }) =>
      devices.flatMap(({ serial, ledger }) =>
        ledger.entries.flatMap((entry) => entry.toldAt.map((at): Telling => ({ site, serial, entry, at }))),
      ),
    )
    .toSorted((a, b) => a.at - b.at);

/** Every Socket of the site runs the new version, as it says itself. */
export const cameAll = ({ devices }: SocketLife): boolean => devices.length > 0 && devices.every(({ version }) => version === TARGET);

const WINDOW = { from: "01:00:00", to: "03:00:00" };

/** Is it Sunday there, from 01:00 to 03:00? Asked of the machine's own tables. */
export function isInWindow(zone: string, at: number): boolean {
  const [date, time] = clockReads(zone, at).split(" ") as [string, string];
  return new Date(`${date}T00:00:00Z`).getUTCDay() === 0 && time >= WINDOW.from && time < WINDOW.to;
}

/** From when it was told until it was back, or said how it ended; open-ended while neither is known. */
const busyOf = ({ toldAt, ranUntil, ranFrom, outcome }: LedgerEntry): readonly [from: number, until: number] | undefined => {
  const [from] = toldAt;
  if (from === undefined) return undefined;
  return [from, ranUntil ?? (outcome !== undefined && ranFrom === undefined ? from : Infinity)];
};

/** Pairs both of whose Sockets were told, or away, at the same time, as sentences. */
export const overlapsOf = ({ site, devices: [one, other] }: SocketLife): string[] => {
  if (one === undefined || other === undefined) return [];
  const [ours, theirs] = [one, other].map(({ ledger }) => ledger.entries.flatMap((entry) => [busyOf(entry) ?? []].filter(isSpan)));
  return ours!.flatMap((a) =>
    theirs!.flatMap((b) =>
      Math.min(a[1], b[1]) > Math.max(a[0], b[0])
        ? [`${site.key}: ${one.serial} and ${other.serial} at ${clockReads(site.timeZone, Math.max(a[0], b[0]))}`]
        : [],
    ),
  );
};

const isSpan = (span: readonly number[]): span is readonly [number, number] => span.length === 2;

/** Pairs of which the one that carried the traffic was told first, as sentences. */
export const wrongFirsts = ({ site, devices }: SocketLife): string[] => {
  if (devices.length < 2) return [];
  const [first] = tellingsOf([{ site, devices }]);
  return first?.entry.wasActive === true ? [`${site.key}: ${first.serial} carried the traffic`] : [];
};
