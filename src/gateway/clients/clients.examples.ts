import { randomUUID } from "node:crypto";
import { RealClock } from "../../control/clock/real-clock.ts";
import { clientsOf, hashOf, newToken } from "../../control/device-credentials.ts";
import type { ClientRollout, ClientSystem } from "../../api/client-rollout.ts";
import type { AccountView } from "../../core/client/check-in.ts";
import { account, clientRollout, inPhase } from "../../core/client/client.examples.ts";
import { clientViews } from "../../core/client/rollout-view.ts";
import type { OmahaEvent } from "../../omaha/event.ts";
import { MemoryClientInventory } from "../../simulation/clients/inventory.ts";
import { MemoryInventory } from "../../simulation/devices/inventory.ts";
import { Artifacts } from "../artifacts.ts";
import { type Gateway, type GatewaySettings, startGateway } from "../gateway.ts";
import type { Rate } from "../limits.ts";
import { ClientGateway, type ClientGatewaySettings } from "./client-gateway.ts";
import { Directories } from "./directories.ts";
import { NewClients } from "./new-clients.ts";
import type { ClientsSeen, ClientViews } from "./views.ts";

export const NOW = Date.parse("2026-12-01T10:00:00Z");

/** The machine's clock, whose calendar stands where a test puts it. */
class SetClock extends RealClock {
  calendar = NOW;
  override now(): number {
    return this.calendar;
  }
}

/** A view that a test holds in its hand: rollouts and accounts as it sets them. */
export class SetClientViews implements ClientViews {
  offers = true;
  fleetPaused = false;
  accounts: Readonly<Record<string, AccountView>> = {};
  #seen: ClientsSeen | undefined;

  /** Everybody sees these from now on; a new view, as after each change in the cluster. */
  show(...rollouts: readonly ClientRollout[]): void {
    this.#seen = {
      rollouts: clientViews(rollouts),
      fleetPaused: this.fleetPaused,
      accountView: (name: string, _: ClientSystem) => this.accounts[name] ?? { labels: {}, failedPilots: new Set() },
    };
  }

  seen(): ClientsSeen | undefined {
    return this.#seen;
  }

  mayOffer(): boolean {
    return this.offers;
  }
}

export interface SentApp {
  readonly appid?: string;
  readonly version?: string;
  readonly machineid?: string;
  readonly user?: string;
  readonly updatecheck?: Readonly<Record<string, unknown>>;
  readonly event?: readonly Readonly<Record<string, unknown>>[];
}

export interface AnsweredApp {
  readonly appid: string;
  readonly status: string;
  readonly cohort?: string;
  readonly cohortname?: string;
  readonly updatecheck?: {
    readonly status: string;
    readonly _reason?: string;
    readonly urls?: { readonly url: readonly { readonly codebase: string }[] };
    readonly manifest?: { readonly version: string; readonly packages: { readonly package: readonly { readonly name: string }[] } };
  };
}

/** A gateway on loopback before the inventories of the simulation: accounts acme and globex, 5.12.3 for Windows in its last phase. */
export class ClientWorld {
  readonly clock = new SetClock();
  readonly views = new SetClientViews();
  readonly devices = new MemoryInventory(() => 0);
  readonly clients: MemoryClientInventory;
  readonly newClients: NewClients;
  readonly answers: string[] = [];
  readonly said: string[] = [];
  readonly tokens: Record<string, string> = {};
  #gateway: Gateway | undefined;
  #answering: ClientGateway | undefined;

  constructor(most?: number, newRate?: Rate, clients = new MemoryClientInventory(() => performance.now())) {
    this.clients = clients;
    this.newClients = new NewClients(() => this.clock.elapsed(), most, newRate);
    this.views.accounts = { acme: account(), globex: account() };
    this.views.show(clientRollout({ status: inPhase(3, 100, 100) }));
  }

  async start(clients: Partial<ClientGatewaySettings> = {}, gateway: Partial<GatewaySettings> = {}): Promise<this> {
    for (const name of ["acme", "globex"]) this.tokens[name] = await this.token(name);
    const log = (level: string, message: string) => void this.said.push(`${level}: ${message}`);
    const common = { inventory: this.devices, clock: this.clock, log };
    this.#answering = new ClientGateway({
      ...common,
      checkIns: this.clients,
      views: this.views,
      directories: new Directories(this.clients),
      newClients: this.newClients,
      artifacts: new Artifacts(gateway.artifacts),
      ...clients,
    });
    this.#gateway = await startGateway({
      ...common,
      address: { host: "127.0.0.1", port: 0 },
      views: { viewOf: () => Promise.resolve(undefined), isFresh: () => false, rollout: () => undefined },
      hints: { ordinary: 300_000, near: 10_000 },
      limits: { address: { perSecond: 1e6, burst: 1e6 } },
      clients: this.#answering,
      onClientCheckin: (answer) => void this.answers.push(answer),
      ...gateway,
    });
    return this;
  }

  async stop(): Promise<void> {
    await this.#gateway?.close();
    await this.#answering?.close();
  }

  lookAtFiles(): Promise<void> {
    return this.#answering!.lookAtFiles();
  }

  missing(): ReadonlyMap<string, string> {
    return this.#answering!.missing();
  }

  get port(): number {
    return this.#gateway!.port;
  }

  /** A token of the account's Clients. */
  token(of: string): Promise<string> {
    return this.enroll(clientsOf(of));
  }

  /** Any other one: a gateway token of the account, or one of a Socket of it. */
  async enroll(of: string, serial?: string): Promise<string> {
    const token = newToken();
    const at = this.clock.calendar;
    await this.devices.enroll({ account: of, tokenHash: hashOf(token), at, oldTokensUntil: at, ...(serial ? { serial } : {}) });
    return token;
  }

  send(body: string | Buffer<ArrayBuffer>, headers: Readonly<Record<string, string>> = {}, path = "/omaha/v1/acme"): Promise<Response> {
    const authorization = `ClientToken ${this.tokens["acme"]}`;
    return fetch(`http://127.0.0.1:${this.port}${path}`, { method: "POST", body, headers: { authorization, ...headers } });
  }

  /** One request in JSON, as the Client d-1 on 5.11.0 sends it. */
  async request(apps: readonly SentApp[], more: Readonly<Record<string, unknown>> = {}): Promise<readonly AnsweredApp[]> {
    const app = apps.map((one) => ({ appid: "rollward.client.windows", version: "5.11.0", ...one }));
    // As clients of the protocol do: another id for each request. The calendar stands still here, so nothing else tells them apart.
    const requestid = randomUUID();
    const request = { protocol: "3.1", requestid, machineid: "d-1", user: "anna@acme.example", ...more, app };
    const response = await this.send(JSON.stringify({ request }), { "content-type": "application/json" });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`it was answered ${response.status}: ${text}`);
    return (JSON.parse(text.slice(5)) as { response: { app: AnsweredApp[] } }).response.app;
  }

  async check(app: SentApp = {}, more: Readonly<Record<string, unknown>> = {}): Promise<AnsweredApp> {
    return (await this.request([{ updatecheck: {}, ...app }], more))[0]!;
  }

  async report(event: Pick<OmahaEvent, "type" | "result" | "errorCode">, requestid: string, app: SentApp = {}): Promise<void> {
    const { type: eventtype, result: eventresult, errorCode: errorcode } = event;
    await this.request([{ event: [{ eventtype, eventresult, ...(errorcode === undefined ? {} : { errorcode }) }], ...app }], { requestid });
  }

  /** What the inventory knows of a device, once it is written. */
  async known(device = "d-1", of = "acme") {
    return this.clients.client({ account: of, device });
  }
}
