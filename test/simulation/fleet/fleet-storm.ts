import { ApiError } from "../../../src/control/ports.ts";
import { seededRandom } from "../../../src/simulation/clock.ts";
import type { Effect, Mishap, Sabotage } from "../effect.ts";
import type { FaultyOperator } from "../faulty-operator.ts";
import { calmDown } from "./calm.ts";
import { Deeds } from "./deeds.ts";
import { DAY, FleetScenario, HOUR, SECOND } from "./fleet-scenario.ts";
import { ask, passes, stageOf } from "./people.ts";
import { imageOf, popsOf } from "./pops.ts";

export interface FleetStormOptions {
  readonly pops?: number;
  /** Things that happen in five weeks, besides what the trains bring; 60, or as many as there are PoPs. */
  readonly deeds?: number;
  readonly sabotage?: Sabotage;
  readonly trace?: (line: string) => void;
}

/** Friday before the first train's departure. */
export const START = "2026-11-20T10:00:00Z";
const FIRST = Date.parse(START);
const WEEKS = 5;

/**
 * One seeded storm over five weeks of a fleet, then calm. Two trains depart; the second brings a version that is bad on some PoPs, and a
 * rollout that mends it follows; content comes on a Wednesday, an emergency on a Thursday. Meanwhile people edit, pause, approve, refuse
 * and withdraw, PoPs come and go, nodes die, tunnels show and vanish, and two operators that both believe they lead are late, hear
 * time-outs, die and come back.
 */
export class FleetStorm {
  readonly scenario: FleetScenario;
  readonly #random: () => number;
  readonly #options: FleetStormOptions;
  readonly #crashRate: number;
  #operators: FaultyOperator[] = [];
  readonly #dead = new Set<FaultyOperator>();
  #started = 0;
  #calm = false;

  private constructor(scenario: FleetScenario, random: () => number, options: FleetStormOptions) {
    this.scenario = scenario;
    this.#random = random;
    this.#options = options;
    // A handful of deaths, however large the fleet.
    this.#crashRate = 0.06 / (options.pops ?? 20);
  }

  /** Runs the storm of that seed; throws on a violation, or when the calm does not come to its end. */
  static async run(seed: number, options: FleetStormOptions = {}): Promise<FleetStorm> {
    const random = seededRandom(seed * 104_729 + 71);
    const count = options.pops ?? 20;
    const scenario = await FleetScenario.create({
      seed,
      start: START,
      pops: popsOf(count),
      fleet: {
        maxConcurrentPoPs: Math.max(3, Math.ceil(count / 12)),
        maxConcurrentPerRegion: 2,
        train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" },
      },
      ...(options.trace ? { trace: options.trace } : {}),
    });
    const storm = new FleetStorm(scenario, random, options);
    await storm.#blow(count);
    scenario.invariants.check();
    storm.#calm = true;
    for (const operator of storm.#operators) operator.hub.fault = undefined;
    await calmDown(scenario, () => storm.#operators.map(({ name }) => name));
    scenario.invariants.check();
    return storm;
  }

  async #blow(count: number): Promise<void> {
    const { scenario } = this;
    const random = this.#random;
    const deeds = new Deeds(
      scenario,
      random,
      this.#options.trace,
      () => this.#operators,
      (operator) => {
        operator.crash();
        this.#replace(operator);
      },
    );
    this.#operator();
    this.#operator();
    await scenario.done(deeds.dualSites(Math.ceil(count / 3)));
    const agenda = [...this.#agenda(deeds), ...this.#chances(deeds)].toSorted((a, b) => a.at - b.at);
    for (const { at, what, deed } of agenda) {
      await scenario.liveUntil(at);
      this.#options.trace?.(`         ${new Date(scenario.world.clock.now()).toISOString()} ${what}`);
      await scenario.done(deed());
    }
    await scenario.liveUntil(FIRST + WEEKS * 7 * DAY);
  }

  /** What comes by the calendar. */
  #agenda(deeds: Deeds) {
    const { scenario } = this;
    const random = this.#random;
    const at = (days: number, hours = 0) => FIRST + days * DAY + hours * HOUR;
    const onFailure = (["Halt", "RollBackWave", "RollBackAll"] as const)[Math.floor(random() * 3)]!;
    const wavesOf = (approval: boolean) => [
      { name: "canary", pops: { count: 2 }, bake: "20m" },
      { name: "early", pops: { percent: 40 }, bake: "20m", ...(approval ? { approval: "Required" } : {}) },
      { name: "rest", pops: { percent: 100 }, bake: "20m" },
    ];
    const bad = random() < 0.25 ? "2.1.0-bad-health" : "2.1.0";
    const asks = (name: string, spec: object) => () => ask(scenario, name, spec);
    const content = random() < 0.3 ? "sig.418-bad-health" : "sig.418";
    const contentWaves = [
      { name: "canary", pops: { count: 2 }, bake: "10m" },
      { name: "rest", pops: { percent: 100 }, bake: "10m" },
    ];
    const emergency = { version: "2.2.0", class: "Emergency", reason: "a CVE", from: "<2.2.0" };
    return [
      {
        at: at(0, 1),
        what: "the first train",
        deed: asks("r1", {
          version: "2.0.0",
          onFailure,
          failureBudget: { pops: 1 },
          waves: wavesOf(random() < 0.5),
          stages: [stageOf("ci")],
        }),
      },
      { at: at(0, 1 + random() * 40), what: "evidence", deed: () => Promise.resolve(passes(scenario, "ci", "2.0.0")) },
      {
        at: at(13),
        what: `the second train, ${bad}`,
        deed: () => {
          for (const { metadata } of scenario.pops()) if (random() < 0.15) scenario.world.registry.missing.add(imageOf(metadata.name, bad));
          return ask(scenario, "r2", { version: bad, onFailure, failureBudget: { pops: 2 }, waves: wavesOf(false) });
        },
      },
      {
        at: at(16 + random()),
        what: "the fix",
        deed: asks("r3", { version: "2.1.1", supersedes: { name: "r2" }, failureBudget: { pops: 1 }, waves: wavesOf(false) }),
      },
      { at: at(19, 2), what: `content ${content}`, deed: asks("c1", { content: { version: content }, waves: contentWaves }) },
      {
        at: at(26, 2),
        what: "more content",
        deed: asks("c2", { content: { version: "sig.419" }, waves: contentWaves, supersedes: { name: "c1" } }),
      },
      ...(random() < 0.5 ? [{ at: at(27), what: "an emergency", deed: asks("e1", emergency) }] : []),
      ...Array.from({ length: WEEKS * 7 }, (_, day) => ({
        at: at(day, 3 + random() * 4),
        what: "a look at what waits for a person",
        deed: () => deeds.answer(),
      })),
    ];
  }

  /** What comes by chance: mostly while windows are open, for there it can do harm. */
  #chances(deeds: Deeds) {
    const random = this.#random;
    const length = this.#options.deeds ?? Math.max(60, this.#options.pops ?? 0);
    return Array.from({ length }, () => {
      const week = Math.floor(random() * WEEKS);
      // Saturday 12:00 UTC, when Auckland opens, to Sunday 13:00, when Los Angeles closes.
      const inWindows = FIRST + week * 7 * DAY + 26 * HOUR + random() * 25 * HOUR;
      const at = random() < 0.75 ? inWindows : FIRST + random() * WEEKS * 7 * DAY;
      const { what, deed } = deeds.byChance(random());
      return { at, what, deed };
    });
  }

  #operator(): void {
    const operator = this.scenario.operator({
      name: `${"ab"[this.#started % 2]}${Math.floor(this.#started / 2)}`,
      seed: this.#started,
      lagMilliseconds: this.#random() < 0.5 ? 2 : this.#random() * 1_500,
      mishap: (effect) => this.#mishap(operator, effect),
      ...(this.#options.sabotage ? { sabotage: this.#options.sabotage } : {}),
    });
    this.#options.trace?.(`         ${operator.name} begins`);
    this.#started++;
    this.#operators = [...this.#operators.filter((one) => one.alive), operator];
    operator.hub.fault = ({ verb }) => {
      if (verb !== "get" && verb !== "list") return undefined;
      const dice = this.#random();
      if (dice < 0.003) return { error: new ApiError(429, "TooManyRequests", "too many requests") };
      if (dice < 0.006) return { error: new ApiError(0, "Timeout", "no answer within the deadline") };
      return dice < 0.02 ? { delayMilliseconds: this.#random() * 1_500 } : undefined;
    };
  }

  /** Who dies is replaced after a while, and once. */
  #replace(operator: FaultyOperator): void {
    if (this.#dead.has(operator)) return;
    this.#dead.add(operator);
    this.scenario.world.clock.after(this.#random() * 20 * SECOND, () => this.#operator());
  }

  #mishap(operator: FaultyOperator, effect: Effect): Mishap | undefined {
    if (this.#calm || this.#dead.has(operator)) return undefined;
    const dice = this.#random();
    const crash = dice < this.#crashRate ? (dice < this.#crashRate / 2 ? "before" : "after") : undefined;
    if (crash) {
      this.#options.trace?.(`         ${operator.name} dies ${crash} ${effect.name} ${effect.target}`);
      this.#replace(operator);
      return { crash };
    }
    if (dice < 0.02) return { error: new ApiError(429, "TooManyRequests", "too many requests", 1_000) };
    if (dice < 0.04) return { error: new ApiError(0, "Timeout", "no answer within the deadline"), commits: true };
    if (dice < 0.05) return { error: new ApiError(0, "Timeout", "no answer within the deadline"), commits: false };
    return dice < 0.12 ? { delayMilliseconds: this.#random() * 2_000 } : undefined;
  }
}
