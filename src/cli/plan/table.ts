import { formatZoned } from "../../core/time/format.ts";
import type { FleetForecast, PopForecast, RolloutPlan } from "../../simulation/foresight/types.ts";
import { alignedTable } from "../table.ts";
import { DIGEST_LATER } from "./approvals.ts";

/** The plan for people at a terminal: each rollout with its waves and PoPs, then what is in conflict. */
export function planTable(forecast: FleetForecast, assumed: readonly string[]): string {
  const { digest, from, until, rollouts, conflicts } = forecast;
  const heading = `From ${from} to ${until}, digest ${digest}\n`;
  if (rollouts.length === 0) return `${heading}no rollout is to come\n`;
  const found = conflicts.map(({ severity, kind, rollout, message }) => [
    severity === "Conflict" ? "!" : "-",
    kind,
    rollout ?? "",
    message,
  ]);
  return [
    heading,
    ...rollouts.map(rolloutText),
    found.length === 0 ? "" : `${alignedTable(["", "KIND", "ROLLOUT", "WHAT"], found)}\n`,
    ...assumed.map((sentence) => `assumed: ${sentence}\n`),
  ].join("");
}

function rolloutText({ name, version, message, waves, pops, approvals, finishAt }: RolloutPlan): string {
  const digests = new Map(approvals.flatMap(({ wave, digest, by }) => (wave === undefined ? [] : [[wave, { digest, by }] as const])));
  const ofWaves = waves.map((wave) => [
    wave.name,
    String(wave.pops),
    wave.opens ?? "-",
    wave.ends ?? "-",
    digests.has(wave.name) ? (digests.get(wave.name)!.by ?? "-") : "",
    digests.has(wave.name) ? (digests.get(wave.name)!.digest ?? DIGEST_LATER) : "",
  ]);
  const whole = approvals
    .filter(({ wave }) => wave === undefined)
    .map(({ action, digest }) => `Approval with action ${action} for digest ${digest ?? "that is known once it is created"}\n`);
  return [
    `\n${name} (${version}) ${message}\n`,
    finishAt === undefined ? "" : `the last PoP is done at ${finishAt}\n`,
    ...whole,
    waves.length === 0 ? "" : `\n${alignedTable(["WAVE", "POPS", "OPENS", "OVER", "APPROVAL BY", "DIGEST"], ofWaves)}`,
    pops.length === 0
      ? ""
      : `\n${alignedTable(["POP", "WAVE", "REGION", "NODES", "WINDOW", "STARTS", "ENDS", "LOCAL END", "SITES", "NOTE"], pops.map(popCells))}`,
    "\n",
  ].join("");
}

function popCells({ pop, wave, region = "-", nodes, windows, start, end, timeZone, sites, why = "" }: PopForecast): string[] {
  const [first] = windows;
  const more = windows.length > 1 ? ` +${windows.length - 1}` : "";
  const localEnd = end === undefined ? "-" : formatZoned(Date.parse(end), timeZone);
  const touched = sites === undefined ? "" : `${sites.seconds} s, ${sites.minutes} min`;
  return [
    pop,
    wave === "" ? "-" : wave,
    region,
    String(nodes),
    first === undefined ? "-" : `${first.localStart}${more}`,
    start ?? "-",
    end ?? "-",
    localEnd,
    touched,
    why,
  ];
}
