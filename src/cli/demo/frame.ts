import type { PopCluster, PopNodeStatus } from "../../api/pop-cluster.ts";
import { explainPop } from "../../core/explain/pop.ts";
import { formatClock } from "../../core/time/civil.ts";
import { describeInstant } from "../../core/time/format.ts";
import { localTimeAt } from "../../core/time/offsets.ts";
import { type CastPop, SESSIONS_PER_POP } from "./cast.ts";
import type { Chronicle } from "./chronicle.ts";
import { versionNames } from "./narration.ts";
import type { ChapterHeading, Colors, Sight } from "./narrator.ts";
import type { PodSighting } from "./pod-sighting.ts";
import type { Stage } from "./stage.ts";

/** All that one picture of the demo shows. */
export interface FrameModel {
  readonly place: string;
  readonly now: number;
  readonly rate: number | undefined;
  readonly chapter: ChapterHeading | undefined;
  /** The fleet, already fitted to the width. */
  readonly picture: readonly string[];
  /** The newest last. */
  readonly lines: readonly string[];
  readonly realSeconds: number;
}

interface FramePop {
  readonly cast: CastPop;
  readonly pop: PopCluster | undefined;
  readonly pods: readonly PodSighting[];
  readonly sessions: { readonly held: number; readonly of: number } | undefined;
}

const BOX_WIDTH = 17;

/** The picture as lines of at most `width` characters: the hour in each place, the fleet, what happened last. */
export function frameLines(model: FrameModel, width: number, colours: Colors): string[] {
  const { chapter, now } = model;
  const cut = (text: string) => cutTo(text, width);
  const head = chapter ? `Act ${chapter.act}, ${chapter.number} of ${chapter.of}: ${chapter.title}` : "The stage is being set";
  const pace = model.rate === undefined ? "virtual clock" : model.rate === 1 ? "1×" : `${model.rate}×`;
  return [
    colours.bold(cut(`Rollward, ${model.place}`)),
    cut(`${head}   ${Math.round(model.realSeconds)} s`),
    colours.dim(cut(chapter?.story ?? "")),
    cut(`${(chapter?.clocks ?? []).map((zone) => describeInstant(now, zone)).join(" · ")} · ${pace}`),
    ...model.picture,
    "",
    ...model.lines.map((line) => (line.includes("✓") ? colours.green(cut(line)) : cut(line))),
  ];
}

/** Few PoPs, node by node: boxes, and why they wait. */
export const popsPicture =
  (stage: Stage, chronicle: Chronicle, pops: readonly CastPop[]): Sight["picture"] =>
  (width, colours) =>
    pops.flatMap((cast) => {
      const load = stage.load(cast.name);
      const seen: FramePop = {
        cast,
        pop: chronicle.pop(cast.name),
        pods: chronicle.pods().filter(({ pop }) => pop === cast.name),
        sessions: load && { held: load.held, of: SESSIONS_PER_POP },
      };
      return ["", ...popLines(seen, stage.clock.now(), width, colours)];
    });

function popLines({ cast, pop, pods, sessions }: FramePop, now: number, width: number, colours: Colors): string[] {
  const { status } = pop ?? {};
  const held = sessions ? `${sessions.held} of ${sessions.of} sessions` : "no sessions yet";
  const wanted = pop?.spec.version;
  const version = status?.version ?? "nothing yet";
  const versions = wanted === undefined || wanted === version ? version : `${version}, wanted ${wanted}`;
  const title = cutTo(`${cast.city} (${cast.name}): ${versions} · ${windowText(status?.next?.[0], now, cast.zone)} · ${held}`, width);
  const nodes = status?.nodes ?? [];
  const boxes = nodes.map((node) => box(node, pop!, pods, colours));
  const perRow = Math.max(1, Math.floor(width / (BOX_WIDTH + 1)));
  const rows: string[] = [];
  for (let from = 0; from < boxes.length; from += perRow) {
    const row = boxes.slice(from, from + perRow);
    for (let line = 0; line < 4; line++) rows.push(row.map((one) => one[line]).join(" "));
  }
  const explained = pop ? explainPop(pop) : undefined;
  const why = explained?.sections.find((section) => section.title === "Why not yet")?.lines[0];
  const sentence = cutTo(explained ? `${explained.summary}. ${why ?? ""}` : "not there yet", width);
  return [colours.bold(title), ...rows, colours.cyan(sentence)];
}

function windowText(
  next: { readonly start: string; readonly end: string; readonly localStart: string } | undefined,
  now: number,
  zone: string,
): string {
  if (!next) return "no window known";
  const [start, end] = [Date.parse(next.start), Date.parse(next.end)];
  return start <= now
    ? `window OPEN until ${formatClock(localTimeAt(zone, end))}`
    : `window opens ${describeInstant(start, zone).split(" ").slice(0, 3).join(" ")}`;
}

const STEP_COLOURS = {
  Pending: "dim",
  Claimed: "yellow",
  Updating: "yellow",
  Soaking: "cyan",
  Done: "green",
  Failed: "red",
  Skipped: "red",
} as const;

/** A node as a box of four lines: its name, the version of the pod that is there, its step. */
function box(node: PopNodeStatus, pop: PopCluster, pods: readonly PodSighting[], colours: Colors): string[] {
  const pod = pods.find((one) => one.node === node.name && !one.deleting) ?? pods.find((one) => one.node === node.name);
  const version = pod?.version ?? versionNames(pop)(node.revision) ?? "-";
  const state = pod ? (pod.waiting ?? (pod.ready ? "●" : "○")) : "no pod";
  const colour = colours[STEP_COLOURS[node.step]];
  const inside = BOX_WIDTH - 4;
  const row = (text: string) => `│ ${cutTo(text, inside).padEnd(inside)} │`;
  const name = cutTo(node.name, inside);
  return [
    colour(`┌ ${name} ${"─".repeat(Math.max(0, inside - name.length - 1))}─┐`),
    colour(row(version)),
    colour(row(`${node.step} ${state}`)),
    colour(`└${"─".repeat(BOX_WIDTH - 2)}┘`),
  ];
}

export const cutTo = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`);
