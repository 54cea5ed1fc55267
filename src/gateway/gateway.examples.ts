import { createHash } from "node:crypto";
import { RealClock } from "../control/clock/real-clock.ts";
import type { GatewayView } from "../core/socket/answer.ts";
import { commandRow } from "../core/socket/command.examples.ts";
import type { CommandRow } from "../core/socket/command.ts";
import { rolloutView } from "../core/socket/rollout-view.examples.ts";
import { MemoryInventory } from "../simulation/devices/inventory.ts";
import { hashOf, newToken } from "../control/device-credentials.ts";
import { type Gateway, type GatewaySettings, startGateway } from "./gateway.ts";
import type { CheckinAnswer } from "./reply.ts";
import type { RolloutForDevices, Views } from "./views.ts";

export const START = Date.parse("2026-11-29T00:00:00Z");
export const END = Date.parse("2026-11-29T01:00:00Z");

/** The machine's clock, whose calendar stands where a test puts it. */
class SetClock extends RealClock {
  calendar = START;
  override now(): number {
    return this.calendar;
  }
}

/** A view that a test holds in its hand. */
class SetViews implements Views {
  fresh = true;
  view: GatewayView = {};
  rolloutForDevices: RolloutForDevices | undefined;
  /** How often a live look was asked for. */
  looks = 0;
  viewOf(): Promise<GatewayView | undefined> {
    this.looks += 1;
    return Promise.resolve(this.fresh ? this.view : undefined);
  }
  isFresh(): boolean {
    return this.fresh;
  }
  rollout(): RolloutForDevices | undefined {
    return this.rolloutForDevices;
  }
}

/** A gateway on loopback before the inventory of the simulation, at the start of Berlin's window; the row is inserted by the test. */
export class GatewayWorld {
  readonly clock = new SetClock();
  readonly views = new SetViews();
  /** Elapsed time of the inventory, apart from the clock's. */
  real = 1_000_000;
  readonly inventory: MemoryInventory;
  readonly row: CommandRow;
  readonly checkins: CheckinAnswer[] = [];
  readonly said: string[] = [];
  token = "";
  #gateway: Gateway | undefined;

  constructor(artifact?: { readonly url: string; readonly content: Buffer }, real: () => number = () => this.real) {
    this.inventory = new MemoryInventory(real);
    this.row = commandRow({ notBefore: START, notAfter: END });
    const { spec, name } = rolloutView();
    const announced = { url: "https://artifacts.example.com/socket-18.3.3.swu", sha256: "9f86d081".repeat(8), size: 184_320_000 };
    const own = artifact && {
      url: artifact.url,
      sha256: createHash("sha256").update(artifact.content).digest("hex"),
      size: artifact.content.length,
    };
    this.views.rolloutForDevices = { name, version: spec.version, artifact: own ?? announced };
    this.views.view = this.viewNaming(this.row.id);
  }

  viewNaming(command: string, more: Partial<GatewayView> = {}): GatewayView {
    return {
      fleet: { paused: false, freezes: [] },
      rollout: { paused: false },
      site: { zone: "Europe/Berlin", command, done: [] },
      ...more,
    };
  }

  async start(settings: Partial<GatewaySettings> = {}): Promise<this> {
    this.token = await this.enroll(this.row.serial, this.row.account);
    this.#gateway = await startGateway({
      address: { host: "127.0.0.1", port: 0 },
      clock: this.clock,
      inventory: this.inventory,
      views: this.views,
      hints: { ordinary: 300_000, near: 10_000 },
      log: (level, message) => void this.said.push(`${level}: ${message}`),
      onCheckin: (answer) => void this.checkins.push(answer),
      limits: { device: { perSecond: 1_000, burst: 1_000 } },
      ...settings,
    });
    return this;
  }

  get port(): number {
    return this.#gateway!.port;
  }

  async stop(): Promise<void> {
    await this.#gateway?.close();
    await this.inventory.close();
  }

  async enroll(serial: string | undefined, account: string, more: { readonly expiresAt?: number } = {}): Promise<string> {
    const token = newToken();
    const device = { account, tokenHash: hashOf(token), at: this.clock.calendar, oldTokensUntil: this.clock.calendar, ...more };
    await this.inventory.enroll(serial === undefined ? device : { ...device, serial });
    return token;
  }

  /** A request of the world's device, unless told otherwise. */
  fetch(
    path: string,
    { headers, ...init }: Omit<RequestInit, "headers"> & { readonly headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const url = path.startsWith("/") ? path : `/acme/controller/v1/S-2002${path === "" ? "" : `/${path}`}`;
    return fetch(`http://127.0.0.1:${this.port}${url}`, { ...init, headers: { authorization: `TargetToken ${this.token}`, ...headers } });
  }

  async poll(): Promise<PollDocument> {
    const response = await this.fetch("");
    if (response.status !== 200) throw new Error(`the poll was answered ${response.status}`);
    return (await response.json()) as PollDocument;
  }

  send(path: string, body: unknown, method = "POST"): Promise<Response> {
    return this.fetch(path, { method, body: typeof body === "string" ? body : JSON.stringify(body) });
  }

  async report(data: Readonly<Record<string, unknown>> = { version: "17.2" }): Promise<number> {
    return (await this.send("configData", { data }, "PUT")).status;
  }

  async feedback(execution: string, finished: string, path = `deploymentBase/${this.row.action}/feedback`): Promise<number> {
    return (await this.send(path, { id: this.row.action, status: { execution, result: { finished }, details: ["told"] } })).status;
  }

  /** The world's command as the inventory has it. */
  async command(): Promise<CommandRow | undefined> {
    const { id, account, serial, site } = this.row;
    return (await this.inventory.site({ uid: site.uid, account, serials: [serial], named: id })).commands.get(id);
  }
}

export interface PollDocument {
  readonly config: { readonly polling: { readonly sleep: string } };
  readonly _links: Readonly<Partial<Record<"configData" | "deploymentBase" | "cancelAction", { readonly href: string }>>>;
}
