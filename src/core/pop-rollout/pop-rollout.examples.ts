import type { ApprovalSpec } from "../../api/approval.ts";
import { fleetSpec } from "../../api/fleet.ts";
import { maintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { type Assignment, popRolloutSpec, popRolloutStatus, type PopRolloutStatus } from "../../api/pop-rollout.ts";
import { windowProblems } from "../window/parse.ts";
import { decide } from "./decide.ts";
import type { ObservedApproval, OtherRollout, PopRolloutObservation, RolloutPop } from "./observation.ts";

/** Objects and a small world for the tests of this folder. */
export const FRIDAY = Date.UTC(2026, 10, 13, 12);
/** The first instant of Sunday 22 November 2026 in London. */
export const SUNDAY = Date.UTC(2026, 10, 22);
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

type Changes<Of> = { -readonly [Key in keyof Of]?: Of[Key] };

export const pop = (name: string, changes: Partial<RolloutPop> = {}): RolloutPop => ({
  name,
  uid: `uid-${name}`,
  labels: {},
  timeZone: "Europe/London",
  windowRef: "pop-sunday",
  deleting: false,
  loadsContent: true,
  version: "2026.11.1",
  history: [],
  failed: [],
  expected: "8m",
  bake: "1h",
  watch: "336h",
  ...changes,
});

/** `pops(4)`: p00 to p03. */
export const pops = (count: number, changes: Partial<RolloutPop> = {}): RolloutPop[] =>
  Array.from({ length: count }, (_, index) => pop(`p${String(index).padStart(2, "0")}`, changes));

export const REGULAR = {
  version: "2026.11.2",
  requestedBy: "release@example.com",
  announcedAt: "2026-11-13T12:00:00Z",
  startNotBefore: "2026-11-22",
  waves: [
    { name: "canary", pops: { count: 2 }, bake: "4h" },
    { name: "rest", pops: { percent: 100 }, bake: "24h" },
  ],
};

export const other = (name: string, changes: Partial<OtherRollout> = {}): OtherRollout => ({
  name,
  uid: `uid-${name}`,
  createdAt: "2026-11-01T00:00:00Z",
  version: "2026.11.1",
  content: false,
  class: "Regular",
  standing: false,
  ended: false,
  faulty: false,
  waves: [],
  assignments: [],
  ...changes,
});

export const approval = (
  name: string,
  digest: string,
  changes: Partial<ApprovalSpec> = {},
  createdAt = "2026-11-20T00:00:00Z",
): ObservedApproval => ({
  name,
  createdAt,
  spec: {
    for: { kind: "PoPRollout", name: "r-2", uid: "uid-r-2", digest },
    actions: ["Promote"],
    decision: "Approve",
    reason: "looks good",
    approvedBy: "second@example.com",
    expiresAt: "2026-12-31T00:00:00Z",
    ...changes,
  },
});

const WINDOW = maintenanceWindowSpec.parse({ schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }] }, notice: "0s" });

/** The fleet namespace as one rollout sees it; the PoPs do what a test says, the rollout what `decide` says. */
export class RolloutWorld {
  now = FRIDAY;
  spec: Record<string, unknown>;
  generation = 1;
  status: PopRolloutStatus = {};
  pops: RolloutPop[];
  others: OtherRollout[] = [];
  approvals: ObservedApproval[] = [];
  fleet: Changes<Extract<PopRolloutObservation["fleet"], { found: true }>> | undefined = {};
  rest: Partial<PopRolloutObservation> = {};
  window = WINDOW;
  /** How often the status was written. */
  writes = 0;
  events: string[] = [];

  constructor(list: readonly RolloutPop[], spec: Record<string, unknown> = {}) {
    this.pops = [...list];
    this.spec = { ...REGULAR, ...spec };
  }

  observe(): PopRolloutObservation {
    const train = fleetSpec.parse({ train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" } }).train!;
    return {
      rollout: {
        name: "r-2",
        namespace: "fleet",
        uid: "uid-r-2",
        generation: this.generation,
        createdAt: "2026-11-13T12:00:00Z",
        deleting: false,
        spec: popRolloutSpec.parse(this.spec),
        status: this.status,
      },
      fleet: this.fleet ? { found: true, paused: false, freezes: [], train, approvers: [], ...this.fleet } : { found: false },
      pops: this.pops,
      windows: new Map([["pop-sunday", { spec: this.window, problems: windowProblems(this.window) }]]),
      others: this.others,
      approvals: this.approvals,
      evidence: new Map(),
      live: true,
      ...this.rest,
    };
  }

  decide() {
    return decide(this.observe(), this.now);
  }

  /** Decides until nothing is left to write, as the loop does; what is written is what the schema takes. */
  settle(at: number = this.now): this {
    this.now = at;
    for (let pass = 0; pass < 40; pass++) {
      const decision = this.decide();
      this.events.push(...decision.events.map(({ reason }) => reason));
      if (decision.status === undefined) return this;
      this.status = popRolloutStatus.parse(JSON.parse(JSON.stringify(decision.status)));
      this.writes += 1;
    }
    throw new Error("the rollout does not come to rest");
  }

  edit(spec: Record<string, unknown>): this {
    this.spec = { ...this.spec, ...spec };
    this.generation += 1;
    return this;
  }

  pop(name: string): RolloutPop {
    return this.pops.find((one) => one.name === name)!;
  }

  change(name: string, changes: Partial<RolloutPop>): this {
    this.pops = this.pops.map((one) => (one.name === name ? { ...one, ...changes } : one));
    return this;
  }

  of(name: string): Assignment | undefined {
    return this.status.assignments?.find((one) => one.pop === name);
  }

  wave(name: string) {
    return this.status.waves?.find((one) => one.name === name);
  }

  state(name: string): string | undefined {
    const one = this.of(name);
    return one && (one.reason === undefined ? one.state : `${one.state}(${one.reason})`);
  }

  condition(type: string): string | undefined {
    const found = this.status.conditions?.find((one) => one.type === type);
    return found && `${found.status} ${found.reason}`;
  }

  message(type: string): string {
    return this.status.conditions?.find((one) => one.type === type)?.message ?? "";
  }

  members(wave: string): string[] {
    return (this.status.assignments ?? []).filter((one) => one.wave === wave).map(({ pop }) => pop);
  }

  /** A second later: what a PoP does follows what it was asked. */
  readonly #at = (): string => new Date(this.now + 1_000).toISOString();

  version(): string {
    return String(this.spec["version"]);
  }

  rolls(name: string, state: "Preflight" | "Rolling" | "Baking" = "Rolling"): this {
    const { version = "none" } = this.pop(name);
    const kind = version === "none" ? ("Join" as const) : ("Roll" as const);
    return this.change(name, { run: { kind, version: this.version(), state, startedAt: this.#at() } });
  }

  passes(...names: string[]): this {
    for (const name of names)
      this.change(name, {
        version: this.version(),
        run: { kind: "Roll", version: this.version(), state: "Passed", startedAt: this.#at() },
      });
    return this;
  }

  goesBack(name: string): this {
    const to = "2026.11.1";
    return this.change(name, {
      run: { kind: "Rollback", version: to, takesBack: this.version(), state: "RollingBack", startedAt: this.#at(), cause: "5xx over 5 %" },
    });
  }

  ends(name: string, outcome: RolloutPop["history"][number]["outcome"], version = this.version()): this {
    const { run: _, ...one } = this.pop(name);
    const verdict = { version, at: this.#at(), evidence: "5xx over 5 %" };
    const failed = outcome === "RolledBack" || outcome === "RollbackFailed";
    const entry = { version, startedAt: this.#at(), endedAt: this.#at(), outcome, ...(failed ? { evidence: "5xx over 5 %" } : {}) };
    const next = { ...one, history: [...one.history, entry], failed: failed ? [...one.failed, verdict] : one.failed };
    this.pops = this.pops.map((before) =>
      before.name === name ? { ...next, version: failed ? "2026.11.1" : (before.version ?? version) } : before,
    );
    return this;
  }
}
