import { ACCOUNT_POLICY } from "../../../api/account-policy.ts";
import { FLEET, MAINTENANCE_WINDOW } from "../../../api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../../../api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite, type SocketSiteStatus } from "../../../api/socket-site.ts";
import type { Cache } from "../../../control/ports.ts";
import { explainSocketSite } from "../../../core/explain/socket-site.ts";
import type { DeviceField } from "../../../simulation/devices/device-field.ts";
import { siteDraft } from "../../../simulation/devices/device-fleet.ts";
import { fleetDraft } from "../../../simulation/world.ts";
import { NAMESPACE } from "../cast.ts";
import { ClaimFailed } from "../claims.ts";
import type { Narrator } from "../narrator.ts";
import type { Stage } from "../stage.ts";
import { Telling } from "../telling.ts";
import { ACCOUNTS, type CastSite, policyDraft, ROLLOUT, rolloutDraft, SITES, TARGET, windowDraft, ZONES } from "./cast.ts";
import { cameAll, type SocketLife, type Telling as Told, tellingsOf } from "./ledgers.ts";
import { pictureLines } from "./picture.ts";
import { siteSentences } from "./voice.ts";

const PLACES = ZONES.map(([city, zone]) => ({ name: city, city, zone, region: "" }));
const BY_KEY = new Map(SITES.map((site) => [site.key, site]));

/** What the third act does and asks: Sockets in the field. Whatever is claimed of them stands in their own ledgers. */
export class SocketPlay extends Telling {
  readonly field: DeviceField;
  /** The pair on which somebody worked by hand, once he did. */
  mixedPair: CastSite | undefined;
  readonly #sites: Cache<SocketSite>;
  readonly #rollouts: Cache<SocketRollout>;
  readonly #last = new Map<string, SocketSite>();

  constructor(stage: Stage, narrator: Narrator) {
    super(stage, narrator);
    if (stage.field === undefined) throw new Error(`the third act needs a stage with Sockets; there are none ${stage.place}`);
    this.field = stage.field;
    this.told.source = "the Sockets' own ledgers, their accounts' receivers and the cluster";
    this.#sites = stage.cluster.cache<SocketSite>(SOCKET_SITE, {});
    this.#rollouts = stage.cluster.cache<SocketRollout>(SOCKET_ROLLOUT, { namespace: NAMESPACE });
    this.#sites.onChange((site, deleted) => {
      const key = keyOf(site);
      const before = this.#last.get(key);
      this.#last.set(key, site);
      const cast = BY_KEY.get(key);
      if (!deleted && cast) for (const sentence of siteSentences(before, site)) narrator.happened(sentence, cast.city);
    });
    const picture = {
      lives: () => this.lives(),
      site: (key: string) => this.#last.get(key),
      rollout: () => this.rollout(),
    };
    narrator.watch({
      stage,
      places: PLACES,
      picture: (width, colours) => pictureLines({ ...picture, now: stage.clock.now() }, width, colours),
    });
  }

  async whenReady(): Promise<void> {
    await this.stage.perform(Promise.all([this.#sites.whenSynced(), this.#rollouts.whenSynced()]));
  }

  standing(): string {
    const left = SITES.filter((site) => !cameAll(this.life(site)));
    const lines = left.slice(0, 20).map((site) => {
      const seen = this.#last.get(site.key);
      return `  ${seen === undefined ? `${site.key} is not there` : explainSocketSite(seen).summary}\n`;
    });
    return `${lines.join("")}  ${SITES.length - left.length} of ${SITES.length} sites run ${TARGET} on every Socket\n`;
  }

  close(): void {
    this.#sites.stop();
    this.#rollouts.stop();
  }

  async apply(): Promise<void> {
    const { cluster } = this.stage;
    await this.stage.perform(cluster.create(FLEET, fleetDraft()));
    for (const account of ACCOUNTS) {
      await this.stage.perform(cluster.create(MAINTENANCE_WINDOW, windowDraft(account)));
      await this.stage.perform(cluster.create(ACCOUNT_POLICY, policyDraft(account)));
    }
    await this.stage.perform(this.field.start());
    await this.stage.perform(Promise.all(SITES.map((site) => cluster.create(SOCKET_SITE, siteDraft(site)))));
  }

  /** `announcedAt`: calendar milliseconds; now unless told. */
  async announce(announcedAt = this.stage.clock.now()): Promise<void> {
    this.say(`the provider applies SocketRollout ${ROLLOUT}: ${TARGET} for 5 % of the sites, a week later 25 %, then all`);
    await this.stage.perform(this.stage.cluster.create(SOCKET_ROLLOUT, rolloutDraft(announcedAt)));
  }

  rollout(): SocketRollout | undefined {
    return this.#rollouts.get(ROLLOUT, NAMESPACE);
  }

  /** The site's status as last seen. */
  statusOf({ name, namespace }: CastSite): SocketSiteStatus {
    return this.#sites.get(name, namespace)?.status ?? {};
  }

  async read({ name, namespace, key }: CastSite): Promise<SocketSite> {
    const live = await this.stage.perform(this.stage.cluster.get<SocketSite>(SOCKET_SITE, name, namespace));
    if (!live) throw new ClaimFailed(`SocketSite ${key} exists`, "the API server does not have it");
    return live;
  }

  lives(): readonly SocketLife[] {
    return SITES.map((site) => this.life(site));
  }

  /** The site with its devices, as they are. */
  life(site: CastSite): SocketLife {
    return { site, devices: this.field.devices.bySite.get(site.key) ?? [] };
  }

  /** Each time that a Socket was told to install, from its own ledger, the first one first. */
  tellings(): readonly Told[] {
    return tellingsOf(this.lives());
  }

  /** What `rollward explain` says first, and the claim that it names what is known from elsewhere. */
  async explain(site: CastSite, stage: string, title: string, names: readonly string[]): Promise<void> {
    const { summary, sections } = explainSocketSite(await this.read(site));
    const lines = sections.filter((section) => section.title === title).flatMap((section) => section.lines);
    const sentence = [`${summary}.`, ...lines].join(" ");
    await this.claim(`rollward explain socketsite/${site.name} -n ${site.namespace} (${stage}) names ${names.join(", ")}`, () => ({
      holds: names.every((name) => sentence.includes(name)),
      found: sentence,
    }));
    this.told.explained.push({ pop: site.key, version: TARGET, stage, sentence });
  }
}

const keyOf = ({ metadata }: SocketSite): string => `${metadata.namespace ?? ""}/${metadata.name}`;
