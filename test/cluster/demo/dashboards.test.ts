import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { freePorts } from "../../../tools/control-plane/ports.ts";
import { findPrometheus } from "../../../tools/prometheus/install.ts";
import { type Prometheus, startPrometheus } from "../../../tools/prometheus/run.ts";
import { type DashboardQuery, dashboards, filled, MUST_STAY_0, queries, rowsOf } from "../chart/dashboard-queries.ts";

const ROOT = join(import.meta.dirname, "../../..");
const MINUTE = 60_000;
/** Hours of the calendar pass in a second: what is there for a moment has to be scraped in it. */
const SCRAPES_EVERY = "200ms";
/** As Grafana reckons it: some scrapes, so that there are two of them in it whatever comes late. */
const RATE_INTERVAL = "3s";
const STEP_SECONDS = 0.25;
/** A busy machine answers a scrape too late for what was there for a moment; then the demo is played again, and watched on. */
const MOST_PLAYS = 3;

/** A Prometheus that watched the demo from its first act to its last, and can be asked about all of that time. */
class Watched {
  readonly #prometheus: Prometheus;
  readonly #from = Date.now() / 1_000;

  constructor(prometheus: Prometheus) {
    this.#prometheus = prometheus;
  }

  /** Values that the query had at any time, of all its series. */
  async values(expr: string): Promise<number[]> {
    const result = await this.#ask<{ readonly result: readonly { readonly values: readonly (readonly [number, string])[] }[] }>(
      "query_range",
      { query: expr, start: String(this.#from), end: String(Date.now() / 1_000), step: String(STEP_SECONDS) },
    );
    return result.result.flatMap(({ values }) => values.map(([, value]) => Number(value)));
  }

  /** What a variable `label_values(SERIES, LABEL)` has to offer. */
  labelValues(definition: string): Promise<string[]> {
    const [, series = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
    return this.#ask<string[]>(`label/${label}/values`, { "match[]": series, start: String(this.#from), end: String(Date.now() / 1_000) });
  }

  async #ask<T>(path: string, parameters: Record<string, string>): Promise<T> {
    const answer = await fetch(`${this.#prometheus.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const body = (await answer.json()) as { data?: T; error?: string };
    if (body.data === undefined) throw new Error(`Prometheus refused ${path} ${JSON.stringify(parameters)}: ${body.error}`);
    return body.data;
  }
}

/** Each way in which a person can set the dashboard's variables, by what Prometheus has to offer for them. */
async function settings(watched: Watched, dashboard: (typeof dashboards)[number]): Promise<Record<string, string>[]> {
  let all: Record<string, string>[] = [{}];
  for (const { name, definition } of dashboard.templating.list) {
    if (definition === undefined) continue;
    const longer = await Promise.all(
      all.map(async (before) => (await watched.labelValues(filled(definition, before))).map((value) => ({ ...before, [name]: value }))),
    );
    all = longer.flat();
  }
  return all;
}

describe("dashboards beside the demo", () => {
  it("a panel is marked as one that must stay 0 exactly when it stands in the list of those that are provoked", () => {
    const marked = queries.map(({ panel }) => panel).filter((title) => /\(must stay (near )?0\)/.test(title));
    expect(new Set(marked)).toEqual(MUST_STAY_0);
  });

  it.each([
    ["rollward-fleet", ["Fits its windows", "Over by", "Last rollback, with its check"]],
    ["rollward-pop", ["State", "Nodes that are done", "What fails", "Window", "Last rollback, with its check"]],
    ["rollward-sockets", ["How far it is", "Failed or out of reach", "Through by"]],
    ["rollward-clients", ["How far it is", "Failed, or not seen since it was reached", "Everybody is reached by"]],
  ])("the first row of %s answers whether the rollout is healthy: what it does, what it waits for, until when, and %j", (uid, also) => {
    const [[heading, titles] = ["", []]] = rowsOf(dashboards.find((one) => one.uid === uid)!);
    expect(heading).toMatch(/^Is .* healthy\?$/);
    expect(titles[0]).toMatch(/^(What it does|State)$/);
    expect(titles).toEqual(expect.arrayContaining(["What it waits for", "Until", ...also]));
  });
});

const binary = findPrometheus();
const describeWithPrometheus = binary === undefined ? describe.skip : describe;

describeWithPrometheus(
  `[T3] rollward demo --embedded --metrics${binary === undefined ? " (there is no Prometheus: npm test installs it)" : ""}`,
  () => {
    let prometheus: Prometheus;
    let demo: ChildProcess;
    let play: () => Promise<void>;
    let text = "";
    let watched: Watched;

    beforeAll(async () => {
      const [port] = await freePorts(1);
      prometheus = await startPrometheus({
        binary: binary!,
        configuration: {
          global: { scrape_interval: SCRAPES_EVERY, scrape_timeout: SCRAPES_EVERY, evaluation_interval: "1s" },
          scrape_configs: [{ job_name: "rollward", honor_labels: true, static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
        },
      });
      watched = new Watched(prometheus);
      // A Prometheus begins to ask some seconds after it is ready; a quick machine has played the first act by then.
      await vi.waitFor(async () => expect(await watched.values("up")).not.toEqual([]), { timeout: MINUTE, interval: 100 });
      play = async () => {
        demo = spawn(process.execPath, ["src/main.ts", "demo", "--embedded", "--metrics", String(port)], {
          cwd: ROOT,
          stdio: ["ignore", "pipe", "pipe"],
        });
        for (const stream of [demo.stdout, demo.stderr]) stream?.setEncoding("utf8").on("data", (more: string) => (text += more));
        await once(demo, "close");
      };
      await play();
    }, 10 * MINUTE);
    afterAll(async () => {
      demo?.kill("SIGTERM");
      await prometheus?.stop();
    });

    it("plays all four acts and ends with 0", () => {
      expect(demo.exitCode, text.slice(-4_000)).toBe(0);
      for (const act of [1, 2, 3, 4]) expect(text).toContain(`== Act ${act}, 1 of `);
    });

    it(
      "at some time of it every query of every dashboard has a value that is not 0, but for those that must stay 0, and they do",
      async () => {
        let offered = new Map<string, Record<string, string>[]>();
        const isShown = async ({ dashboard, expr }: DashboardQuery): Promise<boolean> => {
          // Different settings often ask the same.
          const asked = new Set(offered.get(dashboard.uid)!.map((values) => filled(expr, { ...values, __rate_interval: RATE_INTERVAL })));
          for (const one of asked) {
            if ((await watched.values(one)).some((value) => value !== 0 && !Number.isNaN(value))) return true;
          }
          return false;
        };
        const shown = async (among: readonly DashboardQuery[]): Promise<readonly DashboardQuery[]> => {
          offered = new Map(await Promise.all(dashboards.map(async (one) => [one.uid, await settings(watched, one)] as const)));
          const found: DashboardQuery[] = [];
          for (const query of among) if (await isShown(query)) found.push(query);
          return found;
        };
        let missing = queries.filter(({ panel }) => !MUST_STAY_0.has(panel));
        for (let plays = 1; ; plays += 1) {
          const found = await shown(missing);
          missing = missing.filter((query) => !found.includes(query));
          if (missing.length === 0 || plays === MOST_PLAYS) break;
          await play();
          expect(demo.exitCode, text.slice(-4_000)).toBe(0);
        }
        const named = (some: readonly DashboardQuery[]) => some.map(({ name, expr }) => `${name}: ${expr}`);
        expect(named(missing), "never anything but 0").toEqual([]);
        expect(named(await shown(queries.filter(({ panel }) => MUST_STAY_0.has(panel)))), "must stay 0").toEqual([]);
      },
      12 * MINUTE,
    );
  },
);
