import type { PopCluster } from "../../../api/pop-cluster.ts";
import type { PopRollout } from "../../../api/pop-rollout.ts";
import { cutTo } from "../frame.ts";
import type { Colors } from "../narrator.ts";
import { FLEET_POPS, type FleetPop, REGIONS } from "./cast.ts";
import { clockReads } from "./wall-clock.ts";

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const HEAD_WIDTH = 25;
const LEAST_CELL = 8;

type Look = readonly [sign: string, colour: "dim" | "yellow" | "cyan" | "green" | "red" | "white"];

/** What the picture is drawn from. */
interface Seen {
  readonly now: number;
  readonly rollouts: readonly PopRollout[];
  readonly popOf: (name: string) => PopCluster | undefined;
}

/** Forty PoPs as a row for each region and a cell for each PoP, under what the rollouts wait for. */
export function pictureLines(seen: Seen, width: number, colours: Colors): string[] {
  return [
    ...seen.rollouts.flatMap((rollout) => rolloutLine(rollout, width, colours)),
    "",
    ...REGIONS.map((region) => regionRow(seen, region, width, colours)),
    colours.dim(cutTo("· waits for its window   ○ as before   ▶ rolls   ≈ bakes   ✔ passed   ↩ goes back   ✗ went back", width)),
  ];
}

function rolloutLine({ metadata, status = {} }: PopRollout, width: number, colours: Colors): string[] {
  const { waves = [], numbers, outcome, halted, holds = [] } = status;
  if (status.supersededBy !== undefined && outcome !== undefined) return [];
  const steps = waves.filter(({ state }) => state !== "Skipped").map(({ name, state }) => `${name} ${WAVE_SIGNS[state]}`);
  const share =
    numbers === undefined ? "" : ` · ${numbers.passed} of ${numbers.pops} passed${numbers.failed > 0 ? `, ${numbers.failed} failed` : ""}`;
  const waits = outcome ?? (halted ? "Halted" : holds[0]?.reason) ?? "goes on";
  const line = cutTo(`${metadata.name}: ${steps.join("  ")}${share} · ${waits}`, width);
  return [outcome === "Completed" ? colours.green(line) : halted ? colours.red(line) : colours.bold(line)];
}

const WAVE_SIGNS = { Pending: "·", Open: "▶", Passed: "✔", Skipped: "-" } as const;

function regionRow({ now, popOf }: Seen, region: string, width: number, colours: Colors): string {
  const pops = FLEET_POPS.filter((pop) => pop.region === region);
  const [date = "", time = ""] = clockReads(pops[0]!.zone, now).split(" ");
  const day = DAYS[new Date(`${date}T00:00:00Z`).getUTCDay()];
  const head = cutTo(`${region.padEnd(13)} ${day} ${time.slice(0, 5)}`.padEnd(HEAD_WIDTH), width);
  const room = Math.max(LEAST_CELL, Math.floor((width - HEAD_WIDTH) / pops.length) - 1);
  const cells = pops.map((pop) => cell(pop, popOf(pop.name), room, colours));
  return width < HEAD_WIDTH + pops.length * (LEAST_CELL + 1) ? head : `${head}${cells.join(" ")}`;
}

function cell({ name }: FleetPop, pop: PopCluster | undefined, room: number, colours: Colors): string {
  const [sign, colour] = lookOf(pop);
  const text = cutTo(`${sign} ${name} ${pop?.status?.version ?? ""}`, room).padEnd(room);
  return colour === "white" ? text : colours[colour](text);
}

/** What a PoP does, at a glance. */
export function lookOf(pop: PopCluster | undefined): Look {
  if (pop?.status === undefined) return [" ", "dim"];
  const { run, holds = [], revisions } = pop.status;
  if (run?.state === "RollingBack") return ["↩", "red"];
  if (run?.state === "Rolling" || run?.state === "Preflight") return isStarted(pop) ? ["▶", "yellow"] : ["·", "white"];
  if (run?.state === "Baking") return ["≈", "cyan"];
  if (holds.some(({ reason }) => reason === "OutsideWindow")) return ["·", "white"];
  if (run?.kind === "Roll") return ["✔", "green"];
  return (revisions?.failed ?? []).length > 0 ? ["✗", "red"] : ["○", "dim"];
}

const isStarted = ({ status }: PopCluster): boolean => status?.nodes?.some(({ step }) => step !== "Pending" && step !== "Skipped") ?? false;
