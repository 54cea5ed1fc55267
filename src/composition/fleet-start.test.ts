import { expect, it } from "vitest";
import { ACCOUNT_POLICY } from "../api/account-policy.ts";
import { ACCOUNT_LABEL } from "../api/names.ts";
import { allResources, MAINTENANCE_WINDOW } from "../api/resources.ts";
import { SOCKET_SITE } from "../api/socket-site.ts";
import { NAMESPACE } from "../control/kinds.ts";
import { Operator } from "../control/operator.ts";
import type { Draft, Kind, KubernetesObject } from "../control/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import type { LeaseRecord } from "../runtime/leader.ts";
import { customKind } from "../simulation/cluster/custom-kind.ts";
import { InMemoryCluster } from "../simulation/cluster/in-memory-cluster.ts";
import { Store } from "../simulation/cluster/store.ts";
import { planSites, siteDraft } from "../simulation/devices/device-fleet.ts";
import { MemoryInventory } from "../simulation/devices/inventory.ts";
import { QUIET } from "../simulation/operator-process.ts";
import { SimulatedSites } from "../simulation/sites.ts";
import { createLogger } from "../telemetry/log.ts";
import { startLeading } from "./run-operator.ts";

const START = Date.parse("2026-11-25T12:00:00Z");
const SITES = 1_500;
/** As long as the process has the event loop for one look; for all of them half as long again as a leader may go without renewing. */
const LOOK = 10;
const ELECTION = { enabled: true, leaseMilliseconds: 15_000, renewDeadlineMilliseconds: 10_000, retryMilliseconds: 2_000 };
const LONGEST = 5 * 60_000;
/** Turns of the event loop without work after which time goes on to the next timer. */
const AT_REST = 5;

/** A clock that goes on by work, as a real one does: whoever works without a turn of the event loop keeps timers waiting. */
class WorkedClock implements Clock {
  #passed = 0;
  readonly #timers = new Set<{ readonly due: number; readonly wake: () => void }>();

  now(): number {
    return START + this.#passed;
  }

  elapsed(): number {
    return this.#passed;
  }

  at(at: number, wake: () => void): () => void {
    return this.after(at - this.now(), wake);
  }

  after(milliseconds: number, wake: () => void): () => void {
    const timer = { due: this.#passed + milliseconds, wake };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  worked(milliseconds: number): void {
    this.#passed += milliseconds;
  }

  /** Turn by turn, until so much has passed since the last work; or work has gone on for far longer than it may. */
  async untilQuietFor(milliseconds: number): Promise<void> {
    const end = this.#passed + LONGEST;
    let [worked, atRest] = [this.#passed, 0];
    while (this.#passed - worked < milliseconds && this.#passed < end) {
      const before = this.#passed;
      await new Promise<void>((resolve) => setImmediate(resolve));
      const isWorking = this.#passed !== before;
      if (isWorking) worked = this.#passed;
      const due = [...this.#timers].filter((timer) => timer.due <= this.#passed);
      for (const timer of due) if (this.#timers.delete(timer)) timer.wake();
      atRest = isWorking || due.length > 0 ? 0 : atRest + 1;
      const next = Math.min(worked + milliseconds, ...[...this.#timers].map((timer) => timer.due));
      if (atRest > AT_REST) this.#passed = Math.max(this.#passed, next);
    }
  }
}

async function fleet() {
  const clock = new WorkedClock();
  const store = new Store({ clock, kinds: allResources.map((resource) => customKind(resource)) });
  const person = new InMemoryCluster(store, { clock, user: "person" });
  const inventory = new MemoryInventory(() => clock.elapsed());
  const create = (kind: unknown, object: object) => person.create(kind as Kind, object as Draft<KubernetesObject>);
  for (const [name, labels] of [["fleet"], ["acme", { [ACCOUNT_LABEL]: "acme" }]] as const)
    await create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name, ...(labels && { labels }) } });
  const schedule = { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] };
  await create(MAINTENANCE_WINDOW, {
    apiVersion: MAINTENANCE_WINDOW.apiVersion,
    kind: "MaintenanceWindow",
    metadata: { namespace: "acme", name: "sockets" },
    spec: { schedule, timeZone: "Local", notice: "48h" },
  });
  await create(ACCOUNT_POLICY, {
    apiVersion: ACCOUNT_POLICY.apiVersion,
    kind: "AccountPolicy",
    metadata: { namespace: "acme", name: "account" },
    spec: { sockets: { windowRef: { name: "sockets" } } },
  });
  for (const site of planSites({ sites: SITES, zones: ["Europe/Berlin", "Asia/Tokyo"] })) await create(SOCKET_SITE, siteDraft(site));
  let lease: LeaseRecord | undefined;
  const written = (record: LeaseRecord): Promise<LeaseRecord> => {
    lease = { ...record, version: String(Number(lease?.version ?? 0) + 1) };
    return Promise.resolve(lease);
  };

  /** An operator starts, works until a minute passes without work, and ends. */
  const started = async () => {
    const hub = new InMemoryCluster(store, { clock, user: "rollward" });
    const found = { looks: 0, terms: 0 };
    const waited = () => clock.worked(LOOK);
    const ran = () => void (found.looks += 1);
    const operator = new Operator({
      clock,
      random: () => 0.5,
      hub,
      sites: new SimulatedSites(hub),
      prober: { http: () => Promise.reject(new Error("nobody to ask")), tcp: () => Promise.resolve(undefined) },
      events: { publish: () => {}, flush: () => Promise.resolve() },
      told: { ...QUIET, queue: (kind) => (kind === "SocketSite" ? { waited, ran } : {}) },
      readSecret: () => Promise.resolve(undefined),
      namespace: "fleet",
      tzdata: "2026a",
      inventory,
      notices: undefined,
    });
    const leadership = startLeading({
      settings: ELECTION,
      clock,
      log: createLogger("error", () => clock.now(), { write: () => true }),
      identity: `operator-${lease?.version ?? 0}`,
      operator: {
        lead: (term, isLeader) => {
          found.terms += 1;
          return operator.lead(term, isLeader);
        },
      },
      told: { termEnded: () => {} },
      store: { get: () => Promise.resolve(lease), create: written, update: written },
      mayLead: Promise.resolve(),
    });
    await clock.untilQuietFor(60_000);
    const stopped = leadership.stop();
    await clock.untilQuietFor(10_000);
    await stopped;
    operator.stop();
    return found;
  };
  return { started };
}

it("[I8] a start over more sites than a lease lasts looks at each of them once and loses no term; the first one a second time, at what it wrote", async () => {
  const { started } = await fleet();
  expect(await started()).toEqual({ looks: 2 * SITES, terms: 1 });
  expect(await started()).toEqual({ looks: SITES, terms: 1 });
});
