import type { Act, Chapter } from "../act.ts";
import { ACCOUNT, FLEET_CURTAIN, FLEET_POPS, FLEET_TEMPOS, nameOf, RELEASES, type Releases } from "./cast.ts";
import { FLEET_CHAPTERS } from "./chapters.ts";
import { FleetPlay } from "./play.ts";
import { FleetRhythm } from "./rhythm.ts";

/** Forty PoPs in ten regions: a release in waves, its halt and way back, its fix over two Sundays, content on a Wednesday. */
export const secondAct = (
  changes: { readonly releases?: Releases; readonly chapters?: readonly Chapter<FleetPlay>[] } = {},
): Act<FleetPlay> => ({
  number: 2,
  title: "forty PoPs and a release",
  setting: {
    pops: FLEET_POPS,
    curtain: FLEET_CURTAIN,
    accounts: [ACCOUNT],
    tempos: FLEET_TEMPOS,
    // Nobody dies in this act, and dozens of nodes that say every second that they live are work for two cores.
    heartbeatMilliseconds: 10_000,
    nodeMonitorGraceSeconds: 60,
    rhythm: (cluster, clock) => new FleetRhythm(cluster, clock),
  },
  chapters: changes.chapters ?? FLEET_CHAPTERS,
  clocks: ["UTC", "Europe/Berlin"],
  look: {
    kubectl: ["-n fleet get poprollouts,fleets", "-n fleet get popclusters -o wide --watch", `-n ${ACCOUNT} get tunnelsites`],
    rollward: [`status popro/${nameOf(RELEASES.bad)}`, `explain popro/${nameOf(RELEASES.fix)}`, `report popro/${nameOf(RELEASES.fix)}`],
  },
  begin: (stage, narrator) => new FleetPlay(stage, changes.releases ?? RELEASES, narrator),
});
