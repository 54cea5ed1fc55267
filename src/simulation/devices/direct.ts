import type { CommandAct, CommandRow } from "../../core/socket/command.ts";
import { answerPoll, asksForView, deploymentFor, type GatewayView, hintFor, type PollHints } from "../../core/socket/answer.ts";
import type { DeviceAttributes, DeviceInventory, PollAnswer } from "../../control/inventory.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { DeploymentReply, DeviceGateway, PollReply, Word } from "./device-gateway.ts";

export interface DirectGatewaySettings {
  readonly clock: Clock;
  readonly inventory: DeviceInventory;
  readonly hints: PollHints;
  /** A fresh look at the cluster for this command; undefined: this gateway is not fresh (rule G15). */
  readonly viewOf: (row: CommandRow) => Promise<GatewayView | undefined>;
  /** What the artifact that is fetched for a command holds; left out: the version of the row. */
  readonly contentOf?: (row: CommandRow) => string;
}

const ACTS: Readonly<Record<Exclude<Word, "downloaded">, Extract<CommandAct, "proceed" | "succeed" | "fail" | "cancel">>> = {
  proceeding: "proceed",
  success: "succeed",
  failure: "fail",
  canceled: "cancel",
};

/** The gateway's own answers (`core/socket/answer`) before an inventory, without a wire: for virtual time. Calls that fail say nothing. */
export class DirectGateway implements DeviceGateway {
  readonly #settings: DirectGatewaySettings;
  readonly #device: { readonly account: string; readonly serial: string };
  #hint: number;

  constructor(settings: DirectGatewaySettings, device: { readonly account: string; readonly serial: string }) {
    this.#settings = settings;
    this.#device = { account: device.account, serial: device.serial };
    this.#hint = hintFor(device.serial, undefined, settings.hints, settings.clock.now());
  }

  async poll(): Promise<PollReply | undefined> {
    const looked = await this.#looked().catch(() => undefined);
    if (looked === undefined) return undefined;
    const { configData, deployment, cancel } = answerPoll(looked.view, looked.polled, this.#settings.clock.now());
    return {
      sleepMilliseconds: this.#hint,
      configData,
      ...(deployment === undefined ? {} : { deployment }),
      ...(cancel === undefined ? {} : { cancel }),
    };
  }

  async report(attributes: DeviceAttributes): Promise<boolean> {
    const { inventory, clock } = this.#settings;
    try {
      await inventory.report({ ...this.#device, attributes }, clock.now());
      return true;
    } catch {
      return false;
    }
  }

  async deployment(action: number): Promise<DeploymentReply | undefined> {
    const { clock, inventory, contentOf = ({ version }: CommandRow) => version } = this.#settings;
    try {
      const looked = await this.#looked();
      if (looked?.polled.command === undefined) return undefined;
      const { kind } = deploymentFor(looked.view, looked.polled, action, clock.now());
      const version = contentOf(looked.polled.command);
      if (kind === "Nothing") return undefined;
      if (kind !== "Give") return { version, install: kind === "InHand" };
      const given = await inventory.give({ ...this.#device, action }, clock.now());
      return given === undefined || clock.now() > given.notAfter ? undefined : { version, install: true };
    } catch {
      return undefined;
    }
  }

  async say(action: number, word: Word): Promise<"Heard" | "Gone" | "Unheard"> {
    const { inventory, clock } = this.#settings;
    if (word === "downloaded") return "Heard";
    try {
      const result = await inventory.feedback({ ...this.#device, action }, ACTS[word], undefined, clock.now());
      return result === "NotYours" ? "Gone" : "Heard";
    } catch {
      return "Unheard";
    }
  }

  /** The poll in the inventory, with the hint of this moment's plan, and the view where there is something to give. */
  async #looked(): Promise<{ readonly polled: PollAnswer; readonly view: GatewayView | undefined } | undefined> {
    const { inventory, clock, hints, viewOf } = this.#settings;
    const poll = () => inventory.poll({ ...this.#device, hintMilliseconds: this.#hint }, clock.now());
    let polled = await poll();
    if (polled === undefined) return undefined;
    const hint = hintFor(this.#device.serial, polled.plan, hints, clock.now());
    if (hint !== this.#hint) {
      this.#hint = hint;
      polled = (await poll()) ?? polled;
    }
    const { command } = polled;
    return { polled, view: command !== undefined && asksForView(polled, clock.now()) ? await viewOf(command) : undefined };
  }
}
