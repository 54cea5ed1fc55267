import type { Approval } from "../../../api/approval.ts";
import type { PopCluster } from "../../../api/pop-cluster.ts";
import type { PopRollout, PopRolloutStatus } from "../../../api/pop-rollout.ts";
import { APPROVAL, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE } from "../../../api/resources.ts";
import type { TunnelSite } from "../../../api/tunnel-site.ts";
import { type Cache, type Draft, isConflict } from "../../../control/ports.ts";
import { explainRollout } from "../../../core/explain/rollout.ts";
import { fleetDraft, sundayWindow } from "../../../simulation/world.ts";
import { NAMESPACE } from "../cast.ts";
import { Chronicle } from "../chronicle.ts";
import { ClaimFailed, type NodeReading, readNodes, serves } from "../claims.ts";
import type { Narrator } from "../narrator.ts";
import type { Stage } from "../stage.ts";
import { popsStand } from "../standing.ts";
import { Telling } from "../telling.ts";
import { ACCOUNT, APPROVER, DUAL_SITES, FLEET_POPS, fleetPopDraft, LIMITS, NODE_COUNT, type Releases, siteDraft, TRAIN } from "./cast.ts";
import { Disruptions } from "./disruptions.ts";
import { pictureLines } from "./picture.ts";
import { FLEET_VOICE } from "./voice.ts";

/** States of a run, and of none, in which a PoP does nothing. */
const RESTS = new Set(["Rests", "Passed"]);
const APPROVAL_HOURS = 24 * 3_600_000;

/** What the second act does and asks: forty PoPs that rollouts move. Whatever is claimed is read from the cluster. */
export class FleetPlay extends Telling {
  readonly releases: Releases;
  readonly chronicle: Chronicle;
  readonly disruptions: Disruptions;
  readonly #rollouts: Cache<PopRollout>;
  readonly #sites: Cache<TunnelSite>;

  constructor(stage: Stage, releases: Releases, narrator: Narrator) {
    super(stage, narrator);
    this.releases = releases;
    this.chronicle = new Chronicle(stage, (pop, sentence) => narrator.happened(sentence, pop), FLEET_VOICE);
    this.disruptions = new Disruptions(
      stage,
      releases.bad,
      (node) => this.chronicle.pods().find((pod) => pod.node === node && !pod.deleting)?.version,
    );
    this.#rollouts = stage.cluster.cache<PopRollout>(POP_ROLLOUT, { namespace: NAMESPACE });
    this.#sites = stage.cluster.cache<TunnelSite>(TUNNEL_SITE, { namespace: ACCOUNT });
    narrator.watch({ stage, places: FLEET_POPS, picture: (width, colours) => pictureLines(this.#seen(), width, colours) });
  }

  async whenReady(): Promise<void> {
    await this.chronicle.whenReady();
    await this.stage.perform(Promise.all([this.disruptions.whenSynced(), this.#rollouts.whenSynced(), this.#sites.whenSynced()]));
  }

  standing(): string {
    const rollouts = this.rollouts().map((rollout) => {
      const { summary, sections } = explainRollout(rollout);
      return `  ${summary}\n${sections.flatMap(({ lines }) => lines.slice(0, 12).map((line) => `    ${line}\n`)).join("")}`;
    });
    const moving = this.chronicle.pops().filter(({ status }) => !RESTS.has(status?.run?.state ?? "Rests"));
    const rest = this.chronicle.pops().length - moving.length;
    return `${rollouts.join("")}${popsStand(moving)}  ${rest} other PoPs: nothing is in hand\n`;
  }

  close(): void {
    this.chronicle.close();
    this.disruptions.close();
    this.#rollouts.stop();
    this.#sites.stop();
  }

  #seen() {
    return { now: this.stage.clock.now(), rollouts: this.rollouts(), popOf: (name: string) => this.chronicle.pop(name) };
  }

  rollouts(): readonly PopRollout[] {
    return this.#rollouts.list();
  }

  /** Names of the sites that are known to have tunnels to two PoPs. */
  dualSites(): readonly string[] {
    return this.#sites.list().flatMap(({ metadata, status }) => (status?.resilience === "DualPoP" ? [metadata.name] : []));
  }

  /** The rollout's status as last seen. */
  statusOf(name: string): PopRolloutStatus {
    return this.#rollouts.get(name, NAMESPACE)?.status ?? {};
  }

  async applyFleet(): Promise<void> {
    const { cluster } = this.stage;
    await this.stage.perform(cluster.create(FLEET, fleetDraft({ ...LIMITS, train: TRAIN })));
    await this.stage.perform(cluster.create(MAINTENANCE_WINDOW, sundayWindow()));
  }

  /** Every PoP, with a version that a person pins. */
  async applyPops(version: string): Promise<void> {
    const { url } = await this.stage.monitoring();
    for (const pop of FLEET_POPS)
      await this.stage.perform(this.stage.cluster.create(POP_CLUSTER, fleetPopDraft(pop, version, this.stage.tempo, url)));
  }

  /** Sites with two tunnels, each reported by both of its PoPs, and one with a single tunnel. */
  async applySites(): Promise<void> {
    const { cluster } = this.stage;
    const monitoring = await this.stage.monitoring();
    for (const [index, pops] of DUAL_SITES.entries()) {
      const name = `plant-${index + 1}`;
      await this.stage.perform(cluster.create(TUNNEL_SITE, siteDraft(name, ...pops)));
      for (const pop of pops) monitoring.reportTunnel(pop, `${ACCOUNT}/${name}`);
    }
    const single = `plant-${DUAL_SITES.length + 1}`;
    await this.stage.perform(cluster.create(TUNNEL_SITE, siteDraft(single, "gru1")));
    monitoring.reportTunnel("gru1", `${ACCOUNT}/${single}`);
  }

  /** From here on rollouts say what runs. */
  async unpin(): Promise<void> {
    for (const { name } of FLEET_POPS) await this.#edit(name, ({ version: _, ...spec }) => spec);
  }

  async #edit(name: string, change: (spec: PopCluster["spec"]) => PopCluster["spec"]): Promise<void> {
    for (;;) {
      const live = await this.stage.perform(this.stage.cluster.get<PopCluster>(POP_CLUSTER, name, NAMESPACE));
      if (!live) throw new ClaimFailed(`PoPCluster ${name} exists`, "the API server does not have it");
      try {
        await this.stage.perform(this.stage.cluster.update(POP_CLUSTER, { ...live, spec: change(live.spec) }));
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }

  async ask(draft: Draft<PopRollout>): Promise<void> {
    const { waves, requestedBy, version, content } = draft.spec;
    const parts = waves.map(({ name, approval }) => `${name}${approval === "Required" ? " (with an Approval)" : ""}`);
    this.say(`${requestedBy} applies PoPRollout ${draft.metadata.name}: ${version ?? content?.version}, waves ${parts.join(", ")}`);
    await this.stage.perform(this.stage.cluster.create(POP_ROLLOUT, draft));
  }

  async readRollout(name: string): Promise<PopRollout> {
    const live = await this.stage.perform(this.stage.cluster.get<PopRollout>(POP_ROLLOUT, name, NAMESPACE));
    if (!live) throw new ClaimFailed(`PoPRollout ${name} exists`, "the API server does not have it");
    return live;
  }

  untilRollout(name: string, waitingFor: string, holds: (status: PopRolloutStatus) => boolean): Promise<void> {
    return this.until(`${name}: ${waitingFor}`, () => holds(this.statusOf(name)));
  }

  /** What a second person does who was shown what waits: an Approval of exactly that (rule F8). */
  async approve(name: string, wave: string, reason: string): Promise<void> {
    const { metadata, status } = await this.readRollout(name);
    const digest = status?.waves?.find((one) => one.name === wave)?.digest;
    if (digest === undefined) throw new ClaimFailed(`wave ${wave} of ${name} has a digest that can be approved`, "it has none");
    this.say(`${APPROVER} approves wave ${wave} of ${name}: "${reason}"`);
    this.say(`  as by: rollward approve popro/${name} --wave ${wave} --reason "${reason}"`);
    const draft: Draft<Approval> = {
      apiVersion: APPROVAL.apiVersion,
      kind: "Approval",
      metadata: { name: `${name}-${wave}`, namespace: NAMESPACE },
      spec: {
        for: { kind: "PoPRollout", name, uid: metadata.uid, digest },
        actions: ["Promote"],
        decision: "Approve",
        reason,
        approvedBy: APPROVER,
        expiresAt: new Date(this.stage.clock.now() + APPROVAL_HOURS).toISOString(),
      },
    };
    await this.stage.perform(this.stage.cluster.create(APPROVAL, draft));
  }

  /** Every node of every PoP, as the API server has it now. */
  readNodes(): Promise<readonly NodeReading[]> {
    return this.stage.perform(readNodes(this.stage.cluster));
  }

  /** The PoPs all of whose nodes serve exactly this version. */
  async popsOn(version: string): Promise<readonly string[]> {
    const nodes = await this.readNodes();
    return FLEET_POPS.filter((pop) => {
      const own = nodes.filter((node) => node.pop === pop.name);
      return own.length === pop.nodes && own.every((node) => serves(node, version));
    }).map(({ name }) => name);
  }

  async claimAllServe(version: string): Promise<void> {
    await this.claim(`all ${NODE_COUNT} nodes of the ${FLEET_POPS.length} PoPs run ${version}`, async () => {
      const nodes = await this.readNodes();
      const others = nodes.filter((node) => !serves(node, version));
      const found = others.slice(0, 8).map((node) => `${node.name} ${node.serves.join("+") || "serves nothing"}`);
      return {
        holds: nodes.length === NODE_COUNT && others.length === 0,
        found: others.length === 0 ? `${nodes.length} nodes, all of them on ${version}` : `not on it: ${found.join(", ")}`,
      };
    });
  }

  /** The sentence of `rollward explain`, and the claim that it names what is known from elsewhere. */
  async explain(name: string, stage: string, names: readonly string[]): Promise<void> {
    const { summary, sections } = explainRollout(await this.readRollout(name));
    const lines = sections.filter(({ title }) => title === "Why not yet" || title === "Attention").flatMap((section) => section.lines);
    const sentence = `${summary}. ${lines[0] ?? ""}`.trim();
    await this.claim(`rollward explain popro/${name} (${stage}) names ${names.join(", ")}`, () => ({
      holds: names.every((one) => sentence.includes(one)),
      found: sentence,
    }));
    this.told.explained.push({ pop: "the fleet", version: name, stage, sentence });
  }
}
