// npm test: makes sure of what the tests need (a real control plane, Prometheus, PostgreSQL, helm, nodes, what the image is built with, a browser), runs every tier that can run here, says
// what was skipped and why. Arguments go to vitest. The last line is for people and programs alike: "N passed, N failed".
// ROLLWARD_TESTS_NEED names, with commas, what must be there: without it the tests are not run, and that is a failure.
import { parseCLI, startVitest, type TestCase, type TestModule, type Vitest } from "vitest/node";
import { BrowserUnavailable, ensureBrowser } from "./browser/install.ts";
import { ControlPlaneUnavailable, ensureControlPlane } from "./control-plane/ensure.ts";
import { ensureHelm, HelmUnavailable } from "./helm/install.ts";
import { ensureImageTools, ImageToolsUnavailable } from "./image/install.ts";
import { ensureNodeTools, NodesUnavailable } from "./nodes/install.ts";
import { ensureOmahaClient, OmahaClientUnavailable } from "./omaha-client/install.ts";
import { ensurePostgres, PostgresUnavailable } from "./postgres/install.ts";
import { ensurePrometheus, PrometheusUnavailable } from "./prometheus/install.ts";

const NEEDS = {
  "control-plane": { ensure: ensureControlPlane, unavailable: ControlPlaneUnavailable },
  prometheus: { ensure: ensurePrometheus, unavailable: PrometheusUnavailable },
  postgres: { ensure: ensurePostgres, unavailable: PostgresUnavailable },
  helm: { ensure: ensureHelm, unavailable: HelmUnavailable },
  nodes: { ensure: ensureNodeTools, unavailable: NodesUnavailable },
  image: { ensure: ensureImageTools, unavailable: ImageToolsUnavailable },
  "omaha-client": { ensure: ensureOmahaClient, unavailable: OmahaClientUnavailable },
  browser: { ensure: ensureBrowser, unavailable: BrowserUnavailable },
} as const;

interface Unavailable {
  readonly need: string;
  readonly reason: string;
}

/** Why the tests of real programs cannot run, one paragraph for each that is not to be had. */
async function prepare(): Promise<Unavailable[]> {
  const reasons: Unavailable[] = [];
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once("SIGINT", interrupt);
  const options = { signal: interrupted.signal };
  for (const [need, { ensure, unavailable }] of Object.entries(NEEDS)) {
    try {
      await ensure(options);
    } catch (error) {
      if (!(error instanceof unavailable)) throw error;
      reasons.push({ need, reason: error.message });
    }
    if (interrupted.signal.aborted) process.exit(130);
  }
  // From here on Ctrl-C does what it does by itself: it ends the tests.
  process.off("SIGINT", interrupt);
  return reasons;
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly TestCase[];
}

/** A file that could not be loaded and an error outside any test count as a failure each: no test of theirs would. */
function outcomeOf(vitest: Vitest): Outcome {
  const modules = vitest.state.getTestModules();
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
  const failedTests = inState("failed").length;
  const neverRan = tests.filter((test) => test.result().state === "pending").length;
  const failedOutside = modules.filter(failedOutsideTests).length + vitest.state.getUnhandledErrors().length;
  return { passed: inState("passed").length, failed: failedTests + neverRan + failedOutside, skipped: inState("skipped") };
}

function failedOutsideTests(module: TestModule): boolean {
  return module.state() === "failed" && ![...module.children.allTests("failed")].length;
}

/** One line for each group that was skipped for one reason. */
function skippedLines(skipped: readonly TestCase[]): string[] {
  const groups = new Map<string, number>();
  for (const test of skipped) {
    const { result, group } = {
      result: test.result(),
      group: test.parent.type === "suite" ? test.parent.fullName : test.module.relativeModuleId,
    };
    const note = result.state === "skipped" ? result.note : undefined;
    const line = note === undefined ? group : `${group}: ${note}`;
    groups.set(line, (groups.get(line) ?? 0) + 1);
  }
  return [...groups].map(([line, count]) => `  ${count} in ${line}`);
}

/** What may not be missing here; a name that is none of ours would ask for nothing, unheard. */
function needed(): ReadonlySet<string> {
  const names = (process.env["ROLLWARD_TESTS_NEED"] ?? "").split(",").filter((name) => name !== "");
  const unknown = names.filter((name) => !Object.hasOwn(NEEDS, name));
  if (unknown.length > 0) {
    process.stderr.write(`ROLLWARD_TESTS_NEED names ${unknown.join(", ")}; write of ${Object.keys(NEEDS).join(", ")}, with commas\n`);
    process.exit(1);
  }
  return new Set(names);
}

const must = needed();
const unavailable = await prepare();
const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
const vitest = await startVitest(filter, { ...options, watch: false });
const { passed, failed, skipped } = outcomeOf(vitest);
const vitestSaysFailed = process.exitCode !== undefined && process.exitCode !== 0;
await vitest.close();

const lines = [
  ...(skipped.length > 0 ? ["Skipped:", ...skippedLines(skipped)] : []),
  ...unavailable.map(({ reason }) => reason),
  `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`,
];
process.stdout.write(`\n${lines.join("\n")}\n`);
const lacks = unavailable.filter(({ need }) => must.has(need));
for (const { need } of lacks) process.stderr.write(`Not to be missing here (ROLLWARD_TESTS_NEED), and missing: ${need}\n`);
// Nothing ran: a filter that matches no file, or a broken configuration. That is no success.
process.exitCode = failed > 0 || vitestSaysFailed || passed === 0 || lacks.length > 0 ? 1 : 0;
