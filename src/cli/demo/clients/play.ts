import { ACCOUNT_POLICY } from "../../../api/account-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout } from "../../../api/client-rollout.ts";
import { FLEET } from "../../../api/resources.ts";
import type { Cache, Draft } from "../../../control/ports.ts";
import { explainClientRollout } from "../../../core/explain/client-rollout.ts";
import type { ClientDevice } from "../../../simulation/clients/client-device.ts";
import type { ClientField } from "../../../simulation/clients/client-field.ts";
import { fleetDraft } from "../../../simulation/world.ts";
import { NAMESPACE } from "../cast.ts";
import { ClaimFailed } from "../claims.ts";
import { NAMESPACE_KIND } from "../kinds.ts";
import type { Narrator } from "../narrator.ts";
import type { Stage } from "../stage.ts";
import { Telling } from "../telling.ts";
import { ACCOUNTS, namespaceDraft, policyDraft } from "./cast.ts";
import { UsersByVersion } from "./ledgers.ts";
import { momentLine, pictureLines, VERSIONS } from "./picture.ts";
import { rolloutSentences } from "./voice.ts";

const PROVIDER = { name: "provider", city: "UTC", zone: "UTC", region: "" };

/** What the fourth act does and asks: Clients of users. Whatever is claimed of them stands in their own ledgers. */
export class ClientPlay extends Telling {
  readonly field: ClientField;
  readonly #rollouts: Cache<ClientRollout>;
  readonly #last = new Map<string, ClientRollout>();
  #windows: readonly ClientDevice[] | undefined;
  #users: UsersByVersion | undefined;

  constructor(stage: Stage, narrator: Narrator) {
    super(stage, narrator);
    if (stage.clients === undefined) throw new Error(`the fourth act needs a stage with Clients; there are none ${stage.place}`);
    this.field = stage.clients;
    this.told.source = "the Clients' own ledgers and the cluster";
    this.#rollouts = stage.cluster.cache<ClientRollout>(CLIENT_ROLLOUT, { namespace: NAMESPACE });
    this.#rollouts.onChange((rollout, deleted) => {
      const before = this.#last.get(rollout.metadata.name);
      this.#last.set(rollout.metadata.name, rollout);
      if (!deleted) for (const sentence of rolloutSentences(before, rollout)) narrator.happened(sentence, PROVIDER.name);
    });
    narrator.watch({
      stage,
      places: [PROVIDER],
      picture: (width, colours) =>
        pictureLines({ now: stage.clock.now(), users: this.users, rollouts: this.#rollouts.list() }, width, colours),
    });
  }

  /** Of the Clients that the act is about. */
  get users(): UsersByVersion {
    return (this.#users ??= new UsersByVersion(this.windows, VERSIONS));
  }

  /** The Clients that the act is about. */
  get windows(): readonly ClientDevice[] {
    return (this.#windows ??= this.field.fleet.clients.filter(({ os }) => os === "Windows"));
  }

  async whenReady(): Promise<void> {
    await this.stage.perform(this.#rollouts.whenSynced());
  }

  standing(): string {
    return this.#rollouts
      .list()
      .map((rollout) => `  ${explainClientRollout(rollout).summary}\n`)
      .join("");
  }

  close(): void {
    this.#rollouts.stop();
  }

  async apply(): Promise<void> {
    const { cluster } = this.stage;
    await this.stage.perform(cluster.create(FLEET, fleetDraft()));
    for (const account of ACCOUNTS) {
      await this.stage.perform(cluster.create(NAMESPACE_KIND, namespaceDraft(account)));
      if (account.policies !== undefined) await this.stage.perform(cluster.create(ACCOUNT_POLICY, policyDraft(account)));
    }
    await this.stage.perform(this.field.start());
  }

  async announce(draft: Draft<ClientRollout>, sentence: string): Promise<void> {
    this.say(sentence);
    await this.stage.perform(this.stage.cluster.create(CLIENT_ROLLOUT, draft));
  }

  /** As last seen. */
  rollout(name: string): ClientRollout | undefined {
    return this.#rollouts.get(name, NAMESPACE);
  }

  async read(name: string): Promise<ClientRollout> {
    const live = await this.stage.perform(this.stage.cluster.get<ClientRollout>(CLIENT_ROLLOUT, name, NAMESPACE));
    if (!live) throw new ClaimFailed(`ClientRollout ${name} exists`, "the API server does not have it");
    return live;
  }

  /** Users by version as a bar, now. */
  draw(): void {
    this.say(momentLine("users:", this.users, this.stage.clock.now()));
  }
}
