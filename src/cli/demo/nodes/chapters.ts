import type { Chapter } from "../act.ts";
import { badChapter, type BadVersion, CANNOT_BE_PULLED, CRASHES } from "../bad-versions.ts";
import { CURTAIN, SUNDAYS } from "../cast.ts";
import { firstVersion, nodeIsKilled, rollThrough } from "../chapters.ts";
import { waitForWindow } from "../waiting.ts";
import { REAL_POP, type RealVersions } from "./cast.ts";
import type { RealPlay } from "./play.ts";
import { hearWitnesses } from "./witnesses.ts";

const HOUR = 3_600_000;

const BAD_VERSIONS: readonly BadVersion<RealVersions>[] = [
  {
    ...CANNOT_BE_PULLED,
    title: "an image that does not exist",
    story: "containerd asks the registry, and the registry does not have it. One node tries; the kubelet's word is enough.",
  },
  {
    ...CRASHES,
    title: "an image that crashes",
    story: "Its process exits after each start, and the kubelet counts. The window is still open, so it begins at once.",
  },
];

/** The first act, on four real nodes of one PoP. */
export const REAL_CHAPTERS: readonly Chapter<RealPlay>[] = [
  {
    title: "the first version joins",
    story:
      "Four kubelets, four containerds, one MaintenanceWindow, Sunday 01:00 in Tokyo. A first version disrupts nobody: no window, no drain.",
    run: async (play) => {
      await firstVersion(play);
      play.watchNodes();
    },
  },
  {
    title: "a good version rolls, node by node",
    story: "Each node is drained of its users, its pod ended by its kubelet, the new image pulled, started, probed and watched.",
    run: goodVersion,
  },
  ...BAD_VERSIONS.map((bad) => badChapter(bad)),
  {
    title: "the fixed version goes through, and a node loses its power in the middle",
    story: "Kubelet, containerd and pods of a node end in one moment. Nothing else may go out; it boots, and the roll goes on.",
    run: async (play) => {
      // Two may be out from here on: a node in hand, and one that nobody asked to go.
      await play.endWatch();
      await nodeIsKilled(play);
    },
  },
  {
    title: "the witnesses are heard",
    story: "What the API server logged, what the kubelets run, what containerd was told to pull, what the nodes answered all the while.",
    run: hearWitnesses,
  },
];

async function goodVersion(play: RealPlay): Promise<void> {
  const { good } = play.versions;
  await play.passTo(CURTAIN + 2 * HOUR);
  play.markSessions(REAL_POP);
  await play.setVersion(REAL_POP, good);
  await waitForWindow(play, REAL_POP, good, SUNDAYS.tyo1[0]);
  await rollThrough(play, REAL_POP, good, SUNDAYS.tyo1[0]);
}
