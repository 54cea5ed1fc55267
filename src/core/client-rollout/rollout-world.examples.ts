import type { ClientNumbers, ClientRollout } from "../../api/client-rollout.ts";
import { clientRolloutStatus } from "../../api/client-rollout.ts";
import { ANNOUNCED, clientRollout } from "../client/client.examples.ts";
import type { Decision } from "../decision.ts";
import { decide } from "./decide.ts";
import type { ClientRolloutObservation, ObservedRollout } from "./observation.ts";

const NOBODY: ClientNumbers = { eligible: 0, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 };

/** So many eligible, of which all attempted and so many failed; the rest is confirmed. */
export const counted = (eligible: number, failed = 0, given: Partial<ClientNumbers> = {}): ClientNumbers => ({
  ...NOBODY,
  eligible,
  offered: eligible,
  attempted: eligible,
  confirmed: eligible - failed,
  failed,
  ...given,
});

const observed = ({ metadata, spec, status }: ClientRollout): ObservedRollout => ({
  name: metadata.name,
  uid: metadata.uid,
  createdAt: Date.parse(metadata.creationTimestamp!),
  spec,
  status: status ?? {},
});

/** One rollout that is looked at again and again, as its controller would: what it writes is what it sees next time. */
export class RolloutWorld {
  rollout: ClientRollout;
  numbers: Map<string, ClientNumbers> | undefined = new Map();
  around: Partial<Pick<ClientRolloutObservation, "fleetPaused" | "approvals" | "samples" | "defaultPrometheus" | "replicas" | "missing">> =
    {};
  others: ClientRollout[] = [];
  /** When each stage opened, in the order in which they did. */
  readonly opened: [stage: string, at: string][] = [];
  generation = 1;

  constructor(given: Parameters<typeof clientRollout>[0] = {}) {
    this.rollout = clientRollout(given);
  }

  seen(): ClientRolloutObservation {
    return {
      rollout: { ...observed(this.rollout), generation: this.generation },
      others: this.others.map(observed),
      fleetPaused: false,
      ...(this.numbers === undefined ? {} : { numbers: this.numbers }),
      approvals: [],
      samples: new Map(),
      ...this.around,
    };
  }

  edit(spec: Partial<ClientRollout["spec"]>): void {
    this.rollout = { ...this.rollout, spec: { ...this.rollout.spec, ...spec } };
    this.generation += 1;
  }

  /** One look; what is written is what the API server takes (rule I19). */
  look(now: number): ReturnType<typeof decide> {
    const decision: Decision<object, never, unknown> = decide(this.seen(), now);
    if (decision.status !== undefined) {
      const status = clientRolloutStatus.parse(JSON.parse(JSON.stringify(decision.status)));
      this.rollout = { ...this.rollout, status };
      for (const { name, openedAt } of status.stages ?? []) {
        if (!this.opened.some(([known]) => known === name)) this.opened.push([name, openedAt]);
      }
    }
    return decision as ReturnType<typeof decide>;
  }

  get status() {
    return this.rollout.status!;
  }

  /** Looks whenever a decision asked for it, each so much later than asked. */
  until(from: number, end: number, late: () => number = () => 0): void {
    let now = from;
    for (let looks = 0; looks < 500 && now <= end; looks += 1) {
      const { wakeAt } = this.look(now);
      if (wakeAt === undefined) return;
      now = wakeAt + late();
    }
  }

  condition(type: string): string {
    const found = this.status.conditions!.find((one) => one.type === type)!;
    return `${found.status} ${found.reason}`;
  }

  holds(): string[] {
    return (this.status.holds ?? []).map(({ rule, reason }) => `${rule} ${reason}`);
  }
}

export const MONDAY = Date.parse(ANNOUNCED);
export const ALL_WELL: ReadonlyMap<string, ClientNumbers> = new Map([
  ["exposed", counted(400)],
  ["pilot", counted(80)],
  ["phase-1", counted(300)],
  ["phase-2", counted(3_000)],
  ["phase-3", counted(20_000)],
]);

/** A rollout of which every device attempted, and none failed. */
export function well(given: ConstructorParameters<typeof RolloutWorld>[0] = {}): RolloutWorld {
  const world = new RolloutWorld(given);
  world.numbers = new Map(ALL_WELL);
  return world;
}
