import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { POP_CLUSTER } from "../../../src/api/resources.ts";
import type { FaultyOperator } from "../faulty-operator.ts";
import { type FleetScenario, MINUTE, SECOND } from "./fleet-scenario.ts";
import { approve, REQUESTER } from "./people.ts";
import { sicknessQuery, ZONES } from "./pops.ts";

type Deed = () => Promise<unknown> | void;

/** What people do to a fleet, and what befalls it. Whom it hits is drawn when it happens; what lasts is undone after a while. */
export class Deeds {
  readonly #scenario: FleetScenario;
  readonly #random: () => number;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #operators: () => readonly FaultyOperator[];
  readonly #killOperator: (operator: FaultyOperator) => void;
  #sites = 0;
  #joined = 0;

  constructor(
    scenario: FleetScenario,
    random: () => number,
    trace: ((line: string) => void) | undefined,
    operators: () => readonly FaultyOperator[],
    kill: (operator: FaultyOperator) => void,
  ) {
    this.#scenario = scenario;
    this.#random = random;
    this.#trace = trace;
    this.#operators = operators;
    this.#killOperator = kill;
  }

  /** Sites whose tunnels lead to two PoPs drawn by chance. */
  async dualSites(count: number): Promise<void> {
    for (let index = 0; index < count; index++) await this.#dualSite();
  }

  byChance(dice: number): { readonly what: string; readonly deed: () => Promise<void> } {
    const all = Object.entries(this.#deeds);
    const total = all.reduce((sum, [, [weight]]) => sum + weight, 0);
    let left = dice * total;
    const [what, [, deed]] = all.find(([, [weight]]) => (left -= weight) < 0) ?? all[0]!;
    return { what, deed: async () => void (await deed()) };
  }

  /** People look through what waits for them: most of it is approved, some refused, some done wrong. */
  async answer(): Promise<void> {
    for (const rollout of this.#scenario.rollouts()) {
      const dice = this.#random();
      if (dice < 0.65) await approve(this.#scenario, rollout);
      else if (dice < 0.75) await approve(this.#scenario, rollout, { decision: "Refuse", reason: "not on this weekend" });
      else if (dice < 0.8) await approve(this.#scenario, rollout, { approvedBy: REQUESTER });
      else if (dice < 0.85) await approve(this.#scenario, rollout, { for: this.#wrongDigest(rollout) });
      else if (dice < 0.9)
        await approve(this.#scenario, rollout, { expiresAt: new Date(this.#scenario.world.clock.now() - MINUTE).toISOString() });
      if (rollout.status?.halted && this.#random() < 0.2) await this.#request("retry", rollout.metadata.name);
    }
  }

  readonly #wrongDigest = ({ metadata }: { readonly metadata: { readonly name: string; readonly uid: string } }) => ({
    kind: "PoPRollout" as const,
    name: metadata.name,
    uid: metadata.uid,
    digest: `sha256:${"0".repeat(64)}`,
  });

  readonly #deeds: Readonly<Record<string, readonly [weight: number, deed: Deed]>> = {
    "a node dies": [4, () => this.#kill()],
    "a node reboots": [2, () => this.#node((name) => this.#background(this.#scenario.world.nodes.reboot(name)))],
    "another machine takes a node's name": [2, () => this.#node((name) => this.#background(this.#scenario.world.nodes.recreate(name)))],
    "a PoP turns sick": [4, () => this.#sick()],
    "a PoP is paused": [2, () => this.#pausePop()],
    "a rollout is paused": [3, () => this.#pauseRollout()],
    "the Fleet is paused": [1, () => this.#pauseFleet()],
    "a person pins a PoP": [2, () => this.#pin()],
    "a PoP moves to another zone": [
      1,
      () => this.#pop((name) => this.#scenario.edit(name, (spec) => ({ ...spec, timeZone: this.#one(ZONES)! }))),
    ],
    "a freeze": [1, () => this.#freeze()],
    "other limits": [1, () => this.#scenario.editFleet((spec) => ({ ...spec, maxConcurrentPoPs: 1 + Math.floor(this.#random() * 6) }))],
    "a PoP joins": [2, () => this.#join()],
    "a PoP is deleted and made again": [2, () => this.#rebuild()],
    "a rollout is stopped": [1, () => this.#request("stop")],
    "a version is taken back": [1, () => this.#request("takeBack")],
    "a rollout is retried": [2, () => this.#request("retry")],
    "a new two-tunnel site": [2, () => this.#dualSite()],
    "a tunnel is lost": [2, () => this.#loseTunnel()],
    "Prometheus is away": [1, () => this.#promAway()],
    "an operator is killed": [2, () => this.#operators().slice(0, 1).forEach(this.#killOperator)],
    "watches break": [2, () => this.#operators().forEach(({ hub }) => hub.breakWatches(this.#random() * 20 * SECOND))],
  };

  #one<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }

  #pop(deed: (name: string) => Promise<unknown> | void): Promise<unknown> | void {
    const pop = this.#one(this.#scenario.pops().filter(({ metadata }) => !metadata.deletionTimestamp));
    this.#trace?.(`         ${pop?.metadata.name}`);
    return pop && deed(pop.metadata.name);
  }

  /** Rather one that is out at this moment. */
  #node(deed: (name: string) => void): void {
    const names = this.#scenario.world.nodes.names;
    const inHand = this.#scenario
      .pops()
      .flatMap(({ status }) => (status?.nodes ?? []).filter(({ step }) => step === "Updating").map(({ name }) => name));
    const name = this.#random() < 0.5 ? (this.#one(inHand) ?? this.#one(names)) : this.#one(names);
    this.#trace?.(`         ${name}`);
    if (name !== undefined && names.includes(name)) deed(name);
  }

  #background(work: Promise<unknown>): void {
    // Two things may befall one node at a time.
    work.catch((error: unknown) => this.#trace?.(`         ${String(error)}`));
  }

  #later(milliseconds: number, deed: Deed): void {
    this.#scenario.world.clock.after(milliseconds, () => this.#background(Promise.resolve(deed())));
  }

  #kill(): void {
    const { nodes } = this.#scenario.world;
    this.#node((name) => {
      this.#background(nodes.kill(name));
      this.#later((1 + this.#random() * 9) * MINUTE, () => (nodes.names.includes(name) ? nodes.reboot(name) : undefined));
    });
  }

  #sick(): void {
    const { replies } = this.#scenario.world.prometheus;
    // Rather one that bakes.
    const baking = this.#scenario.pops().filter(({ status }) => status?.run?.state === "Baking");
    const pop = (this.#random() < 0.6 ? this.#one(baking) : undefined) ?? this.#one(this.#scenario.pops());
    if (!pop) return;
    const query = sicknessQuery(pop.metadata.name);
    this.#trace?.(`         ${pop.metadata.name}`);
    replies.set(query, 1);
    this.#later((1.5 + this.#random() * 3) * MINUTE, () => void replies.set(query, 0));
  }

  async #pausePop(): Promise<void> {
    await this.#pop(async (name) => {
      await this.#scenario.edit(name, (spec) => ({ ...spec, paused: true }));
      this.#later((1 + this.#random() * 6) * MINUTE, () => this.#scenario.edit(name, (spec) => ({ ...spec, paused: false })));
    });
  }

  async #pauseRollout(): Promise<void> {
    const rollout = this.#one(this.#scenario.rollouts());
    if (!rollout) return;
    const { name } = rollout.metadata;
    await this.#scenario.editRollout(name, (spec) => ({ ...spec, paused: true }));
    this.#later((1 + this.#random() * 6) * MINUTE, () => this.#scenario.editRollout(name, (spec) => ({ ...spec, paused: false })));
  }

  async #pauseFleet(): Promise<void> {
    await this.#scenario.editFleet((spec) => ({ ...spec, paused: true }));
    this.#later((1 + this.#random() * 4) * MINUTE, () => this.#scenario.editFleet((spec) => ({ ...spec, paused: false })));
  }

  async #pin(): Promise<void> {
    await this.#pop(async (name) => {
      const version = this.#scenario.pop(name)?.status?.version;
      if (version === undefined) return;
      await this.#scenario.edit(name, (spec) => ({ ...spec, version: this.#random() < 0.7 ? version : "2.0.5" }));
      this.#later((2 + this.#random() * 60) * MINUTE, () => this.#scenario.edit(name, ({ version: _, ...spec }) => spec));
    });
  }

  async #freeze(): Promise<void> {
    const date = new Date(this.#scenario.world.clock.now() + this.#random() * 24 * 60 * MINUTE).toISOString().slice(0, 10);
    const freeze = { name: "holidays", from: date, to: date };
    await this.#scenario.editFleet((spec) => ({ ...spec, freezes: this.#random() < 0.3 ? [] : [freeze] }));
  }

  async #join(): Promise<void> {
    const name = `q${++this.#joined}`;
    await this.#scenario.join(
      { name, timeZone: this.#one(ZONES)!, region: `region-${this.#joined % 3}` },
      this.#random() < 0.5 ? "1.0.0" : undefined,
    );
    this.#later(5 * MINUTE, () => this.#scenario.edit(name, ({ version: _, ...spec }) => spec));
  }

  /** Another object of that name adopts what runs (I14). */
  async #rebuild(): Promise<void> {
    await this.#pop(async (name) => {
      const { kubectl, clock } = this.#scenario.world;
      const before = this.#scenario.pop(name)!;
      await kubectl.delete(POP_CLUSTER, name, FLEET_NAMESPACE);
      const again = () => {
        if (this.#scenario.pop(name)?.metadata.uid === before.metadata.uid) return void clock.after(2 * SECOND, again);
        const { metadata, apiVersion, spec } = before;
        const labels = metadata.labels ? { labels: { ...metadata.labels } } : {};
        this.#background(
          kubectl.create(POP_CLUSTER, {
            apiVersion,
            kind: "PoPCluster",
            metadata: { name, namespace: FLEET_NAMESPACE, ...labels },
            spec,
          } as never),
        );
        this.#scenario.reportsAgain(name);
      };
      clock.after(2 * SECOND, again);
    });
  }

  async #request(verb: "stop" | "takeBack" | "retry", name = this.#one(this.#scenario.rollouts())?.metadata.name): Promise<void> {
    const at = new Date(this.#scenario.world.clock.now()).toISOString();
    this.#trace?.(`         ${verb} ${name}`);
    if (name !== undefined) await this.#scenario.editRollout(name, (spec) => ({ ...spec, requests: { ...spec.requests, [verb]: { at } } }));
  }

  async #dualSite(): Promise<void> {
    const names = this.#scenario.pops().map(({ metadata }) => metadata.name);
    const one = this.#one(names);
    const other = this.#one(names.filter((name) => name !== one));
    if (one !== undefined && other !== undefined) await this.#scenario.site(`s${++this.#sites}`, one, other);
  }

  #loseTunnel(): void {
    const { tunnels } = this.#scenario.world.prometheus;
    const pop = this.#one([...tunnels.keys()]);
    const site = pop === undefined ? undefined : this.#one([...tunnels.get(pop)!.keys()]);
    if (pop === undefined || site === undefined) return;
    if (this.#random() < 0.5) this.#scenario.report(site, pop, undefined);
    else tunnels.get(pop)!.set(site, false);
  }

  #promAway(): void {
    const { prometheus } = this.#scenario.world;
    prometheus.up = false;
    this.#later((1 + this.#random() * 5) * MINUTE, () => void (prometheus.up = true));
  }
}
