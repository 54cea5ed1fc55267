import type { Act, Chapter } from "../act.ts";
import { ACCOUNTS, CLIENT_COUNT, CURTAIN, FATES, HABITS, TEMPO } from "./cast.ts";
import { CLIENT_CHAPTERS } from "./chapters.ts";
import { ClientPlay } from "./play.ts";
import { HourlyRhythm, SLOT } from "./rhythm.ts";

/** How often the operator reads what is counted of Clients: each second hour of the play; elapsed milliseconds. */
const COUNTED_EVERY = 60_000;

/** 20,000 Clients over six weeks: pilots, a faulty version that stops itself, the fixed one. */
export const fourthAct = (
  changes: { readonly chapters?: readonly Chapter<ClientPlay>[]; readonly fates?: typeof FATES } = {},
): Act<ClientPlay> => ({
  number: 4,
  title: `${CLIENT_COUNT.toLocaleString("en")} Clients, six weeks`,
  inMemory: `${CLIENT_COUNT.toLocaleString("en")} Clients that check in for six weeks need a virtual clock`,
  setting: {
    pops: [],
    curtain: CURTAIN,
    accounts: [],
    tempos: { usual: TEMPO, fast: TEMPO, embedded: TEMPO },
    heartbeatMilliseconds: 10_000,
    nodeMonitorGraceSeconds: 60,
    rhythm: (cluster, clock) => new HourlyRhythm(cluster, clock),
    clients: { accounts: ACCOUNTS, habits: HABITS, fateOf: changes.fates ?? FATES, slotMilliseconds: SLOT, countedEvery: COUNTED_EVERY },
  },
  chapters: changes.chapters ?? CLIENT_CHAPTERS,
  clocks: ["UTC"],
  look: { kubectl: [], rollward: [] },
  begin: (stage, narrator) => new ClientPlay(stage, narrator),
});
