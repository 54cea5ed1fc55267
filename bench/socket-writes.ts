// B12, the Sockets' half: writes to the API server for each site that is upgraded. Counted in the audit log of the virtual API server:
// the whole operator and devices that poll, on the virtual clock, from the announcement to two weeks after the window.
import { SOCKET_SITE } from "../src/api/socket-site.ts";
import type { AuditEntry } from "../src/simulation/cluster/store.ts";
import { DAY, planned, SocketStory } from "../test/scenarios/socket-story.ts";
import { type Figures, median, type Row, spread } from "./figures.ts";

const SITES = 20;
const START = "2026-11-23T09:00:00Z";
const AFTER = "2026-11-30T12:00:00Z";
const PER_SOCKET = 3;
const VERSION = "18.3.3";

interface Counted {
  readonly perSite: readonly number[];
  readonly atRest: number;
}

async function upgrade(sockets: 1 | 2): Promise<Counted> {
  const names = Array.from({ length: SITES }, (_, index) => `site-${index}`);
  const sites = names.map((name) => planned(name, "Europe/Berlin", [`${name}-a`, `${name}-b`].slice(0, sockets)));
  const story = await SocketStory.begin({ start: START, sites });
  const isOf = (name: string) => (entry: AuditEntry) => entry.kind === SOCKET_SITE.kind && entry.name === name;
  const counts = () => names.map((name) => story.writes(isOf(name)).length);
  const before = counts();
  await story.rollout(VERSION);
  await story.untilDate(AFTER);
  const left = Object.entries(story.versions()).filter(([, version]) => version !== VERSION);
  if (left.length > 0)
    throw new Error(`${left.length} Sockets were not upgraded (${left[0]?.join(" on ")}): the benchmark measured nothing`);
  const perSite = counts().map((count, index) => count - (before[index] ?? 0));
  await story.pass(DAY);
  const settled = story.writes().length;
  await story.pass(14 * DAY);
  const atRest = story.writes().length - settled;
  for (const operator of story.world.operators) operator.crash();
  return { perSite, atRest };
}

export async function socketWrites(): Promise<readonly Figures[]> {
  const [single, pair] = [await upgrade(1), await upgrade(2)];
  const row = (what: string, { perSite }: Counted, sockets: number): Row => {
    const limit = PER_SOCKET * sockets;
    return { what, value: spread(perSite, "writes"), target: `≤ ${limit}`, met: median(perSite) <= limit, gated: true };
  };
  const atRest = single.atRest + pair.atRest;
  return [
    {
      title: "B12: writes to the API server for each site upgraded",
      how: `${SITES} sites at a time with the whole operator, counted in the audit log of the virtual API server from the announcement to the end of the window; at most ${PER_SOCKET} a Socket. A site whose Socket fetches later than a minute after its claim is written once more`,
      rows: [
        row("a site with one Socket", single, 1),
        row("a pair", pair, 2),
        { what: "in the two weeks after, of all kinds", value: String(atRest), target: "0", met: atRest === 0, gated: true },
      ],
    },
  ];
}
