import type { SocketRollout } from "../../../api/socket-rollout.ts";
import type { SocketSite } from "../../../api/socket-site.ts";
import { cutTo } from "../frame.ts";
import { clockReads } from "../fleet/wall-clock.ts";
import type { Colors } from "../narrator.ts";
import { DAYS, SITE_COUNT, TARGET, ZONES } from "./cast.ts";
import { cameAll, isInWindow, type SocketLife } from "./ledgers.ts";

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const NAME_WIDTH = 13;
const GAP = 2;

/** A column holds the name of a zone, its clock and seven sites. */
const LEAST_COLUMN = 46;

/** What the picture is drawn from: the Sockets themselves, and what their sites say of why. */
interface Seen {
  readonly now: number;
  readonly lives: () => readonly SocketLife[];
  readonly site: (key: string) => SocketSite | undefined;
  readonly rollout: () => SocketRollout | undefined;
}

/** The band of Sundays, and under it the zones from the date line westwards: a sign for each site, filled when it runs the new version. */
export function pictureLines(seen: Seen, width: number, colours: Colors): string[] {
  const byZone = Map.groupBy(seen.lives(), ({ site }) => site.city);
  const columns = width >= 2 * LEAST_COLUMN + GAP ? 2 : 1;
  const room = Math.max(1, Math.floor((width - GAP * (columns - 1)) / columns));
  const rows = Math.ceil(ZONES.length / columns);
  const cells = ZONES.map(([city, zone]) => zoneCell(seen, { city, zone, lives: byZone.get(city) ?? [] }, room, colours));
  const lines = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => cells[column * rows + row] ?? "").join(" ".repeat(GAP)),
  );
  return [
    colours.bold(cutTo(bandOf(seen), width)),
    "",
    ...lines,
    colours.dim(cutTo("○ as before  · planned  ▶ installs  ◐ one of the pair done  ● new version  ✗ left out  ! story", width)),
  ];
}

function bandOf({ now, lives, rollout }: Seen): string {
  const nights = DAYS.nights.map(({ date, from, to }) => {
    const sign = now >= Date.parse(to) ? "✔" : now >= Date.parse(from) ? "▶" : "·";
    return `${sign} ${date}`;
  });
  const percent = rollout()?.status?.ramp?.percent;
  const done = lives().filter(cameAll).length;
  const share = percent === undefined ? "not announced yet" : `open to ${percent} % of the sites`;
  return `Sundays: ${nights.join("  ")}   ${TARGET}: ${share}, ${done} of ${SITE_COUNT} run it`;
}

interface Zone {
  readonly city: string;
  readonly zone: string;
  readonly lives: readonly SocketLife[];
}

function zoneCell(seen: Seen, { city, zone, lives }: Zone, room: number, colours: Colors): string {
  const [date = "", time = ""] = clockReads(zone, seen.now).split(" ");
  const day = WEEKDAYS[new Date(`${date}T00:00:00Z`).getUTCDay()];
  const head = `${city.padEnd(NAME_WIDTH)} ${day} ${time.slice(0, 5)} `;
  if (room <= head.length) return cutTo(head, room);
  const signs = lives.slice(0, room - head.length).map((life) => lookOf(life, seen.site(life.site.key)));
  const drawn = signs.map(([sign, colour]) => (colour === "white" ? sign : colours[colour](sign))).join("");
  const open = isInWindow(zone, seen.now) ? colours.yellow(head) : head;
  return `${open}${drawn}${" ".repeat(Math.max(0, room - head.length - signs.length))}`;
}

type Look = readonly [sign: string, colour: "dim" | "yellow" | "cyan" | "green" | "red" | "white"];

/** A site at a glance: what its Sockets run and do, and of the others why not. */
export function lookOf(life: SocketLife, site: SocketSite | undefined): Look {
  const { devices } = life;
  if (cameAll(life)) return ["●", "green"];
  if (
    devices.some(
      ({ isUp, ledger }) => !isUp && ledger.entries.some(({ ranFrom, outcome }) => ranFrom !== undefined && outcome === undefined),
    )
  )
    return ["▶", "yellow"];
  const { upgrade, ha } = site?.status ?? {};
  if (ha?.story !== undefined) return ["!", "red"];
  if (devices.some(({ version }) => version === TARGET)) return ["◐", "cyan"];
  if (upgrade?.step === "Skipped" || upgrade?.step === "Failed") return ["✗", "red"];
  return upgrade?.planned?.start === undefined ? ["○", "dim"] : ["·", "white"];
}
