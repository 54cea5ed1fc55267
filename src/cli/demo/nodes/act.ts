import type { Act } from "../act.ts";
import { firstAct } from "../first-act.ts";
import type { DemoNodes } from "../ports.ts";
import { NODE_MONITOR_GRACE_SECONDS, REAL_POP } from "./cast.ts";
import { REAL_CHAPTERS } from "./chapters.ts";
import { RealPlay } from "./play.ts";

/** The first act with one PoP whose nodes are real; `nodes` testify. */
export function realNodesAct(nodes: DemoNodes): Act<RealPlay> {
  const { setting, look } = firstAct();
  return {
    number: 1,
    title: "one PoP of four real nodes",
    setting: { ...setting, pops: [REAL_POP], nodeMonitorGraceSeconds: NODE_MONITOR_GRACE_SECONDS },
    chapters: REAL_CHAPTERS,
    clocks: [REAL_POP.zone],
    look,
    begin: (stage, narrator) => new RealPlay(stage, narrator, nodes),
  };
}
