// The pages that rollward writes, made as a person makes them: by its command line, from manifests or from what stands in a cluster.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { CliIo } from "../../src/cli/io.ts";
import { planPage } from "../../src/cli/plan/html.ts";
import { registerPlan } from "../../src/cli/plan.ts";
import { reportHtml } from "../../src/core/explain/report/html.ts";
import { reportOf } from "../../src/core/explain/report/report.ts";
import { twoSundays } from "../../src/core/explain/report/report.examples.ts";
import type { FleetForecast } from "../../src/simulation/foresight/types.ts";

const NOW = Date.parse("2026-11-13T12:00:00Z");
/** What would be run if a name were markup; a page that ran it has a variable `hacked`. */
export const HOSTILE = `<script>hacked=1</script><img src=x onerror=hacked=1>"'&`;

const ZONES = [
  "Pacific/Auckland",
  "Asia/Dubai",
  "Europe/Istanbul",
  "Europe/Berlin",
  "Europe/London",
  "America/Sao_Paulo",
  "America/New_York",
  "America/Denver",
  "America/Los_Angeles",
  "Pacific/Honolulu",
];

const sample = (path: string): string => readFileSync(new URL(`../../config/samples/${path}`, import.meta.url), "utf8");
const CITIES = ["akl", "dxb", "ist", "fra", "lhr", "gru", "nyc", "den", "lax", "hnl"];

/** PoPs around the globe in turn, of 2 to 8 nodes. */
const pops = (count: number, region = (index: number): string => `r${index % 10}`): string =>
  Array.from(
    { length: count },
    (_, index) => `---
apiVersion: rollward.dev/v1alpha1
kind: PoPCluster
metadata: {namespace: fleet, name: ${CITIES[index % 10]}${Math.floor(index / 10) + 1}, annotations: {rollward.dev/plan-nodes: "${2 + (index % 7)}"}}
spec:
  timeZone: ${ZONES[index % 10]}
  region: ${JSON.stringify(region(index))}
  nodeSelector: {matchLabels: {rollward.dev/pop: p}}
  windowRef: {name: pop-sunday}
  template: {spec: {containers: [{name: pop, image: pop}]}}
`,
  ).join("");

const WINDOW = "maintenance-window-pop-sunday.yaml";
const everyTwoWeeks = (window: string): string =>
  window.replace("duration: 4h}]", 'duration: 4h}]\n    everyWeeks: 2\n    anchor: "2026-11-22"');

/** The shipped sample through forty PoPs in ten regions over two Sundays. */
const SAMPLE = [sample("fleet.yaml"), sample(WINDOW), sample("release/poprollout-regular.yaml"), pops(40)];
export const planThatFits = (): Promise<string> => plan(SAMPLE, "html");

/** The same with a window every second Sunday, and regions whose names are markup. */
export const planThatDoesNotFit = (): Promise<string> =>
  plan(
    [
      sample("fleet.yaml"),
      everyTwoWeeks(sample(WINDOW)),
      sample("release/poprollout-regular.yaml"),
      pops(40, (index) => (index < 20 ? HOSTILE : `r${index % 10}`)),
    ],
    "html",
  );

/** A rollout over two Sundays with a PoP that rolled back because of evidence that is markup. */
export const report = (): string => reportHtml(reportOf(twoSundays({ evidence: HOSTILE }), Date.parse("2026-11-30T12:00:00Z")));

/** A plan in which every name, message and reason is markup: no schema stands between a cluster's words and the page. */
export async function hostilePlan(): Promise<string> {
  const NAMES = new Set(["name", "version", "message", "pop", "wave", "region", "why", "rollout"]);
  const hostile = (value: unknown, key?: string): unknown => {
    if (typeof value === "string") return key !== undefined && NAMES.has(key) ? `${HOSTILE} ${value}` : value;
    if (Array.isArray(value)) return value.map((one) => hostile(one));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([inner, one]) => [inner, hostile(one, inner)]));
  };
  const forecast = JSON.parse(await plan(SAMPLE, "json")) as FleetForecast;
  return planPage(hostile(forecast) as FleetForecast, [HOSTILE], [HOSTILE]);
}

async function plan(files: readonly string[], format: "html" | "json"): Promise<string> {
  let [printed, complaint] = ["", ""];
  const io: CliIo = {
    out: (text) => void (printed += text),
    error: (text) => void (complaint += text),
    isTerminal: false,
    connect: () => Promise.reject(new Error("a plan of files asks no cluster")),
    now: () => NOW,
    readFile: (path) => Promise.resolve(files[Number(path)]!),
    exit: () => undefined,
  };
  const program = new Command("rollward").exitOverride();
  registerPlan(program, io, () => Promise.reject(new Error("a plan of PoPs asks no inventory")));
  await program.parseAsync(["plan", "-o", format, ...files.flatMap((_, index) => ["-f", String(index)])], { from: "user" });
  if (complaint !== "") throw new Error(complaint);
  return printed;
}
