import type { Act, Chapter } from "./act.ts";
import { BERLIN, CURTAIN, EMBEDDED_TEMPO, FAST_TEMPO, POPS, TOKYO, USUAL_TEMPO, VERSIONS, type Versions } from "./cast.ts";
import { CHAPTERS } from "./chapters.ts";
import { Play } from "./play.ts";
import { PopRhythm } from "./rhythm.ts";

/** Two PoPs over several Sundays, each node seen: good versions, bad ones, a dead node, a window that closes. */
export const firstAct = (changes: { readonly versions?: Versions; readonly chapters?: readonly Chapter<Play>[] } = {}): Act<Play> => ({
  number: 1,
  title: "two PoPs, node by node",
  setting: {
    pops: POPS,
    curtain: CURTAIN,
    accounts: [],
    tempos: { usual: USUAL_TEMPO, fast: FAST_TEMPO, embedded: EMBEDDED_TEMPO },
    heartbeatMilliseconds: 1_000,
    nodeMonitorGraceSeconds: 4,
    rhythm: (cluster, clock) => new PopRhythm(cluster, clock),
  },
  chapters: changes.chapters ?? CHAPTERS,
  clocks: [TOKYO.zone, BERLIN.zone],
  look: {
    kubectl: [
      "-n fleet get popclusters --watch",
      "get nodes -L rollward.dev.node-restriction.kubernetes.io/revision",
      "-n rollward-data-plane get pods -o wide",
      "-n fleet get events.events.k8s.io --sort-by .metadata.creationTimestamp",
    ],
    rollward: [`explain pop/${TOKYO.name}`],
  },
  begin: (stage, narrator) => new Play(stage, changes.versions ?? VERSIONS, narrator),
});
