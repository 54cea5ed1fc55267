import fc from "fast-check";
import { expect, test } from "vitest";
import type { Assignment, PopRolloutStatus } from "../../api/pop-rollout.ts";
import type { RolloutPop } from "./observation.ts";
import { approval, HOUR, other, pop, RolloutWorld, SUNDAY } from "./pop-rollout.examples.ts";

/**
 * Random fleets and random orders of what PoPs, people and other rollouts do. PoPs obey the orders that they read, late and in any
 * order; what is asserted after each event is what stands in the status, the only thing that a rollout writes.
 */
const POP_EVENTS = [
  "begin",
  "pass",
  "breach",
  "wentBack",
  "couldNotGoBack",
  "obey",
  "promote",
  "leave",
  "rebuild",
  "pin",
  "unpin",
] as const;
const WORLD_EVENTS = ["join", "resume", "retry", "approve", "otherEnds"] as const;
/** What ends or holds a rollout comes seldom, or nothing else would ever be seen. */
const BRAKES = ["pause", "stop", "takeBack", "refuse", "otherBegins", "mended"] as const;
type Event = "wait" | "work" | (typeof POP_EVENTS)[number] | (typeof WORLD_EVENTS)[number] | (typeof BRAKES)[number];
const events = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom<Event>("wait", "work") },
  { weight: 8, arbitrary: fc.constantFrom<Event>(...POP_EVENTS) },
  { weight: 3, arbitrary: fc.constantFrom<Event>(...WORLD_EVENTS) },
  { weight: 1, arbitrary: fc.constantFrom<Event>(...BRAKES) },
);

const ZONES = ["Pacific/Auckland", "Europe/London", "America/New_York", "Pacific/Honolulu"];
const VERSIONS = ["2026.11.1", "2026.10.4", "2026.11.2", "2026.12.0"];

const fleets = fc.array(
  fc.record({ zone: fc.constantFrom(...ZONES), version: fc.option(fc.constantFrom(...VERSIONS)), pinned: fc.integer({ max: 9, min: 0 }) }),
  {
    minLength: 1,
    maxLength: 9,
  },
);
const specs = fc.record({
  waves: fc.constantFrom(
    [
      { name: "canary", pops: { count: 1 } },
      { name: "rest", pops: { percent: 100 } },
    ],
    [
      { name: "canary", pops: { count: 2 } },
      { name: "half", pops: { percent: 50 } },
      { name: "rest", pops: { percent: 100 }, approval: "Required" },
    ],
    [{ name: "all", pops: { count: 1000 } }],
  ),
  onFailure: fc.constantFrom("Halt", "RollBackWave", "RollBackAll"),
  failureBudget: fc.record({ pops: fc.integer({ min: 0, max: 2 }) }),
  kind: fc.constantFrom("version", "version", "content", "emergency"),
});
const scripts = fc.array(fc.record({ event: events, who: fc.nat(20), hours: fc.integer({ min: 1, max: 60 }) }), {
  minLength: 20,
  maxLength: 80,
});

class Fleet extends RolloutWorld {
  #names = 0;

  get contents(): boolean {
    return this.spec["content"] !== undefined;
  }

  joins(changes: Partial<RolloutPop>): void {
    this.#names += 1;
    this.pops = [...this.pops, pop(`q${this.#names}`, changes)];
  }

  /** What one event does, if the world is such that it can happen. */
  happens(event: Event, who: number, hours: number): void {
    const one = this.pops[who % Math.max(1, this.pops.length)];
    const at = new Date(this.now).toISOString();
    const asked = { ...(this.spec["requests"] as object | undefined), [event]: { at } };
    switch (event) {
      case "wait":
        this.now += hours * HOUR;
        return;
      case "work":
        for (const each of this.pops) this.#works(each, hours % 7 === 0 ? "breach" : undefined);
        return;
      case "join":
        return this.joins(hours % 2 ? {} : { version: undefined as never });
      case "pause":
      case "resume":
        this.edit({ paused: event === "pause" });
        return;
      case "stop":
      case "retry":
      case "takeBack":
        this.edit({ requests: asked });
        return;
      case "approve":
      case "refuse":
        return this.#decides(event === "approve" ? "Approve" : "Refuse", at);
      case "otherBegins":
        this.others = [other("r-1", { content: this.contents, waves: [{ name: "canary", state: "Open", pops: [] }] })];
        return;
      case "otherEnds":
        this.others = [];
        return;
      case "mended":
        this.others = [other("r-3", { content: this.contents, createdAt: "2026-12-01T00:00:00Z", supersedes: "r-2" })];
        return;
      default:
        if (one) this.#pop(event, one);
    }
  }

  /** A PoP makes the next step of what it is asked. */
  #works(one: RolloutPop, instead: Event | undefined): void {
    const state = this.contents ? one.content?.state : one.run?.state;
    if (state === undefined || state === "Loaded" || state === "Passed")
      this.#pop(this.of(one.name)?.order === "TakeBack" ? "obey" : "begin", one);
    else this.#pop(state === "RollingBack" ? "wentBack" : (instead ?? "pass"), one);
  }

  #decides(decision: "Approve" | "Refuse", at: string): void {
    const digests = [this.status.digest, ...(this.status.waves ?? []).map(({ digest }) => digest)].filter((digest) => digest !== undefined);
    for (const digest of digests) {
      const actions = digest === this.status.digest ? (["Emergency"] as const) : (["Promote"] as const);
      this.approvals = [...this.approvals, approval(`a${this.approvals.length}`, digest, { decision, actions: [...actions] }, at)];
    }
  }

  #pop(event: Event, one: RolloutPop): void {
    const { name } = one;
    const mine = this.of(name);
    const free = mine?.state === "Assigned" && mine.order === "Go" && mine.uid === one.uid;
    if (event === "leave") this.pops = this.pops.filter((candidate) => candidate !== one);
    else if (event === "rebuild") this.change(name, { uid: `${one.uid}-again` });
    else if (event === "pin") this.change(name, { pinned: "2026.10.1", pinnedContent: "sig.1" });
    else if (event === "unpin") this.change(name, { pinned: undefined as never, pinnedContent: undefined as never });
    else if (this.contents) this.#content(event, one, free);
    else if (event === "begin" && free) this.rolls(name);
    else if (event === "pass" && one.run?.state === "Rolling") this.passes(name);
    else if (event === "promote" && one.run?.state === "Passed") this.ends(name, "Promoted");
    else if (event === "breach" && one.run && one.run.kind !== "Rollback") this.goesBack(name);
    else if (event === "wentBack" && one.run?.kind === "Rollback") this.ends(name, "RolledBack");
    else if (event === "couldNotGoBack" && one.run?.kind === "Rollback") this.ends(name, "RollbackFailed");
    else if (event === "obey" && one.run && mine?.order === "TakeBack") this.goesBack(name);
    else if (event === "obey" && one.run?.state === "Rolling" && mine?.order === "Stop") this.ends(name, "Stopped");
  }

  #content(event: Event, one: RolloutPop, free: boolean): void {
    const { content = { failed: [] }, name } = one;
    const verdict = { version: "sig.418", at: new Date(this.now + 1_000).toISOString(), evidence: "crash" };
    if (event === "begin" && free) this.change(name, { content: { ...content, target: "sig.418", state: "Loading" } });
    if (event === "pass" && content.target) this.change(name, { content: { current: "sig.418", state: "Loaded", failed: [] } });
    if (event === "breach" && content.target) this.change(name, { content: { state: "RollingBack", failed: [verdict] } });
    if (event === "wentBack" && content.state === "RollingBack")
      this.change(name, { content: { state: "Loaded", failed: content.failed } });
  }
}

const isBraked = ({ halted, stopped, takenBack, supersededBy }: PopRolloutStatus): boolean =>
  [halted, stopped, takenBack, supersededBy].some((brake) => brake !== undefined);

const identity = ({ pop: name, uid, wave }: Assignment): string => `${name}/${uid}/${wave}`;
const ORDER = ["Pending", "Open", "Passed", "Skipped"];

function check(world: Fleet, before: PopRolloutStatus): void {
  const { status } = world;
  const { assignments = [], waves = [] } = status;
  expect(new Set(assignments.map((one) => one.pop)).size, "one assignment of a PoP").toBe(assignments.length);
  const known = new Set((before.assignments ?? []).map(identity));
  const added = assignments.filter((one) => !known.has(identity(one)));
  if (world.spec["paused"] === true || isBraked(status)) {
    const starts = assignments.filter((one) => one.state === "Assigned" && one.order === "Go");
    expect(starts, "nobody may start while it is paused, halted or ended").toEqual([]);
    // A retry lifts the brake before: what it assigns may be followed by a halt at once.
    const isLifted = status.handled?.retry !== before.handled?.retry;
    if (world.spec["paused"] === true || (isBraked(before) && !isLifted))
      expect(added.map(identity), "nothing is assigned then").toEqual([]);
  }
  for (const wave of before.waves ?? []) {
    const now = waves.find(({ name }) => name === wave.name);
    expect(ORDER.indexOf(now?.state ?? ""), `wave ${wave.name} does not go back`).toBeGreaterThanOrEqual(ORDER.indexOf(wave.state));
    if (wave.state !== "Pending") expect(now?.pops, `wave ${wave.name} keeps its members`).toEqual(wave.pops);
  }
  const declared = (world.spec["waves"] as { name: string; pops: { count?: number } }[]).filter(({ pops }) => pops.count !== undefined);
  for (const { name, pops } of declared) {
    const got = assignments.filter((one) => one.wave === name && one.state !== "Skipped" && one.reason !== "AlreadyThere");
    expect(got.length, `wave ${name} has at most what was declared (I13)`).toBeLessThanOrEqual(pops.count!);
  }
  for (const one of added.filter(({ state }) => state === "Assigned")) {
    const { version = "0.0", pinned } = world.pop(one.pop);
    expect(version > "2026.11.2" && !world.contents, `${one.pop} is not assigned an older version (V3)`).toBe(false);
    expect(world.contents ? undefined : pinned, `${one.pop} is pinned by a person`).toBeUndefined();
  }
}

test("[I13] [I11] [F6] whatever comes in whatever order: waves only grow, one assignment a PoP, nothing starts against a brake, and it comes to rest", () => {
  fc.assert(
    fc.property(fleets, specs, scripts, (fleet, { kind, ...spec }, script) => {
      const content = kind === "content" ? { version: undefined, content: { version: "sig.418" }, startNotBefore: undefined } : {};
      const emergency = kind === "emergency" ? { class: "Emergency", reason: "CVE", startNotBefore: undefined } : {};
      const world = new Fleet([], { ...spec, ...content, ...emergency });
      for (const { zone, version, pinned } of fleet)
        world.joins({ timeZone: zone, version: version ?? (undefined as never), ...(pinned === 0 ? { pinned: "2026.10.1" } : {}) });
      world.settle(SUNDAY - 36 * HOUR);
      for (const { event, who, hours } of script) {
        const before = world.status;
        world.happens(event, who, hours);
        world.settle();
        check(world, before);
        // A moment later nothing has changed, and nothing is written (G11).
        world.now += 1;
        expect(world.decide().status, "a settled world writes nothing").toBeUndefined();
        if (world.decide().wakeAt !== undefined) expect(world.decide().wakeAt).toBeGreaterThan(world.now);
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);

test("[L1] [L3] when PoPs only pass and the spec rests, every rollout completes, and every PoP that may get the version has it", () => {
  fc.assert(
    fc.property(fleets, fc.integer({ min: 1, max: 3 }), (fleet, count) => {
      const world = new Fleet([], {
        waves: [
          { name: "canary", pops: { count } },
          { name: "rest", pops: { percent: 100 } },
        ],
      });
      for (const { zone } of fleet) world.joins({ timeZone: zone });
      for (const extra of Array.from({ length: count })) if (extra === undefined) world.joins({});
      world.settle(SUNDAY - 36 * HOUR);
      for (let hour = 0; hour < 15 * 24; hour += 3) {
        for (const one of world.pops) if (world.state(one.name) === "Assigned") world.passes(one.name);
        world.settle(SUNDAY - 36 * HOUR + hour * HOUR);
      }
      expect([world.status.outcome, world.status.numbers]).toEqual([
        "Completed",
        { pops: world.pops.length, passed: world.pops.length, open: 0, failed: 0, skipped: 0 },
      ]);
    }),
    { numRuns: 20 },
  );
}, 60_000);
