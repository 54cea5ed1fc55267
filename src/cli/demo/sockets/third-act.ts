import type { Act, Chapter } from "../act.ts";
import { ACCOUNTS, BASE, CURTAIN, SITES, TEMPO } from "./cast.ts";
import { SOCKET_CHAPTERS } from "./chapters.ts";
import { SocketPlay } from "./play.ts";
import { SundayRhythm } from "./rhythm.ts";

const SOCKET_COUNT = SITES.flatMap(({ sockets }) => sockets).length;

/** The Sockets of 200 sites over three Sundays: the ramp, a night with a missing hour, a pair on two majors. */
export const thirdAct = (changes: { readonly chapters?: readonly Chapter<SocketPlay>[] } = {}): Act<SocketPlay> => ({
  number: 3,
  title: "the Sockets of 200 sites, three Sundays",
  inMemory: `${SOCKET_COUNT} Sockets that poll for three weeks need a virtual clock`,
  setting: {
    pops: [],
    curtain: CURTAIN,
    accounts: ACCOUNTS,
    tempos: { usual: TEMPO, fast: TEMPO, embedded: TEMPO },
    heartbeatMilliseconds: 10_000,
    nodeMonitorGraceSeconds: 60,
    rhythm: (_, clock) => new SundayRhythm(clock),
    sockets: { sites: SITES, version: BASE },
  },
  chapters: changes.chapters ?? SOCKET_CHAPTERS,
  clocks: ["UTC", "Europe/London"],
  look: { kubectl: [], rollward: [] },
  begin: (stage, narrator) => new SocketPlay(stage, narrator),
});
