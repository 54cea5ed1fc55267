import type { IncomingHttpHeaders } from "node:http";
import type { DeviceInventory, PollAnswer } from "../control/inventory.ts";
import {
  answerPoll,
  type Asks,
  asksForView,
  deploymentFor,
  type GatewayView,
  hintFor,
  isInstalled,
  isToDrop,
  mayFetch,
  partnersAsked,
  type Polled,
  type PollHints,
} from "../core/socket/answer.ts";
import { readAttributes, readFeedback } from "../core/socket/device-words.ts";
import type { Clock } from "../runtime/clock.ts";
import { type ArtifactFacts, type Artifacts, checksumLine, fileReply } from "./artifacts.ts";
import { artifactDocument, cancelDocument, deploymentDocument, installedDocument, pollDocument } from "./documents.ts";
import type { Log } from "./log.ts";
import { badRequest, type CheckinAnswer, DONE, NOTHING_HERE, type Reply, UNAUTHORIZED, unavailable } from "./reply.ts";
import type { DevicePath, Route } from "./routes.ts";
import type { RolloutForDevices, Views } from "./views.ts";

export interface DdiSettings {
  readonly clock: Clock;
  readonly inventory: DeviceInventory;
  readonly views: Views;
  readonly artifacts: Artifacts;
  readonly hints: PollHints;
  readonly log: Log;
}

/** One call whose caller is known. */
export interface DeviceCall {
  readonly route: Route;
  /** Scheme and host under which the device reaches us: every link is absolute. */
  readonly origin: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as JSON; undefined where none was sent. */
  readonly body: unknown;
}

type ArtifactRoute = Extract<Route, { readonly to: "artifacts" } | { readonly to: "artifact" | "checksum" }>;

interface Looked {
  readonly polled: Polled;
  readonly hint: number;
  readonly view: GatewayView | undefined;
}

/** A rollout that was deleted stays unknown; one not seen since this replica started is asked for again soon. */
const ROLLOUT_UNSEEN_MS = 5_000;

/**
 * The device protocol, call by call. It decides nothing: what may be given says the row, by the one statement of `give` (rule S1), and
 * `core/socket/answer` says what of it is shown.
 */
export class Ddi {
  readonly #settings: DdiSettings;
  /** The hint that a device was told last, where it is another one than its ordinary. */
  readonly #told = new Map<string, number>();
  /** Why a rollout is offered to nobody, as it was logged: each device that asks would else say it again. */
  readonly #undescribed = new Map<string, string>();

  constructor(settings: DdiSettings) {
    this.#settings = settings;
  }

  /** Rejects with InventoryUnavailable, and then nothing was answered that would have to be taken back. */
  answer(call: DeviceCall): Promise<Reply> | Reply {
    const { route } = call;
    switch (route.to) {
      case "poll":
        return this.#poll(call);
      case "configData":
        return this.#configData(call);
      case "deployment":
        return this.#deployment(call, route.action);
      case "deploymentFeedback":
        return this.#feedback(call, "deploymentBase", route.action);
      case "cancelFeedback":
        return this.#feedback(call, "cancelAction", route.action);
      case "cancelAction":
        return this.#cancelAction(call, route.action);
      case "installed":
        return this.#installed(call, route.action);
      case "artifacts":
      case "artifact":
      case "checksum":
        return this.#artifact(call, route);
      case "confirmationBase":
        // The account confirms by its window; a device is asked for nothing more.
        return { status: 200, body: { autoConfirm: { active: true } } };
      default:
        return NOTHING_HERE;
    }
  }

  /** Is it enrolled in that account? */
  async knows(device: DevicePath): Promise<boolean> {
    return (await this.#polled(device)) !== undefined;
  }

  async #poll({ route, origin }: DeviceCall): Promise<Reply> {
    const looked = await this.#look(route);
    if (looked === undefined) return UNAUTHORIZED;
    const links = answerPoll(looked.view, looked.polled, this.#settings.clock.now());
    return { status: 200, body: pollDocument(origin, route, links, looked.hint), checkin: checkinOf(links) };
  }

  async #configData({ route, body }: DeviceCall): Promise<Reply> {
    const attributes = readAttributes(body);
    if ("problem" in attributes) return badRequest(attributes.problem);
    await this.#settings.inventory.report({ account: route.account, serial: route.serial, attributes }, this.#settings.clock.now());
    return DONE;
  }

  async #deployment({ route, origin }: DeviceCall, action: number): Promise<Reply> {
    const { clock, views, inventory, log, hints } = this.#settings;
    const asks: Asks = { fetching: { ordinaryMilliseconds: hints.ordinary } };
    const looked = await this.#look(route, asks);
    if (looked === undefined) return UNAUTHORIZED;
    const { kind, ...nothing } = deploymentFor(looked.view, looked.polled, action, clock.now(), asks);
    const row = looked.polled.command;
    if (kind === "Nothing" || row === undefined) {
      log(
        "debug",
        `${route.account}/${route.serial} asked for deployment ${action} and got nothing: ${"why" in nothing ? nothing.why : ""}`,
      );
      return NOTHING_HERE;
    }
    const rollout = views.rollout(row.rollout);
    const artifact = rollout && (await this.#described(rollout));
    const document = (install: boolean) =>
      deploymentDocument(origin, route, { row, install, ...(rollout && artifact ? { name: rollout.name, artifact } : {}) });
    if (kind === "InHand")
      return rollout === undefined || artifact !== undefined ? { status: 200, body: document(true) } : unavailable(ROLLOUT_UNSEEN_MS);
    if (artifact === undefined) return NOTHING_HERE;
    if (kind === "Ahead") return { status: 200, body: document(false), stillTrue: () => views.isFresh() };
    const given = await inventory.give({ account: route.account, serial: route.serial, action }, clock.now());
    if (given === undefined) return NOTHING_HERE;
    // The row is Given now, whatever follows: shown too late it would be installed too late, not shown it is asked for again.
    return { status: 200, body: document(true), stillTrue: () => clock.now() <= given.notAfter && views.isFresh() };
  }

  async #feedback({ route, body }: DeviceCall, of: "deploymentBase" | "cancelAction", action: number): Promise<Reply> {
    const { clock, inventory } = this.#settings;
    const read = readFeedback(body, of, action);
    if ("problem" in read) return badRequest(read.problem);
    if (read.act === "none") return DONE;
    const which = { account: route.account, serial: route.serial, action };
    const result = await inventory.feedback(which, read.act === "fetch" ? "proceed" : read.act, read.said, clock.now());
    if (result !== "NotYours") return DONE;
    const polled = read.act === "fetch" ? await this.#polled(route) : undefined;
    return polled !== undefined && mayFetch(polled.answer, action, clock.now()) ? DONE : NOTHING_HERE;
  }

  async #cancelAction({ route }: DeviceCall, action: number): Promise<Reply> {
    const polled = await this.#polled(route);
    if (polled === undefined) return UNAUTHORIZED;
    return isToDrop(polled.answer, action) ? { status: 200, body: cancelDocument(action) } : NOTHING_HERE;
  }

  async #installed({ route }: DeviceCall, action: number): Promise<Reply> {
    const polled = await this.#polled(route);
    if (polled === undefined) return UNAUTHORIZED;
    const row = await this.#settings.inventory.given({ account: route.account, serial: route.serial, action });
    if (row === undefined || !isInstalled(polled.answer.device, row)) return NOTHING_HERE;
    const name = this.#settings.views.rollout(row.rollout)?.name;
    return { status: 200, body: installedDocument(row, name) };
  }

  async #artifact({ route, origin, headers }: DeviceCall, asked: ArtifactRoute): Promise<Reply> {
    const polled = await this.#polled(route);
    if (polled === undefined) return UNAUTHORIZED;
    const row = polled.answer.command;
    if (row === undefined || !mayFetch(polled.answer, asked.action, this.#settings.clock.now())) return NOTHING_HERE;
    const rollout = this.#settings.views.rollout(row.rollout);
    const artifact = rollout && (await this.#described(rollout));
    if (artifact === undefined) return NOTHING_HERE;
    if (asked.to === "artifacts") return { status: 200, body: [artifactDocument(origin, route, asked.action, artifact)] };
    if (artifact.filename !== asked.file || artifact.path === undefined) return NOTHING_HERE;
    return asked.to === "checksum" ? checksumLine(artifact) : fileReply(artifact, headers);
  }

  async #described({ name, artifact }: RolloutForDevices): Promise<ArtifactFacts | undefined> {
    const facts = await this.#settings.artifacts.describe(artifact);
    const problem = "problem" in facts ? facts.problem : undefined;
    if (problem !== undefined && problem !== this.#undescribed.get(name))
      this.#settings.log("warn", `SocketRollout ${name} is offered to nobody: ${problem}`);
    if (problem === undefined) this.#undescribed.delete(name);
    else this.#undescribed.set(name, problem);
    return "problem" in facts ? undefined : facts;
  }

  async #look(device: DevicePath, asks: Asks = {}): Promise<Looked | undefined> {
    const polled = await this.#polled(device);
    if (polled === undefined) return undefined;
    const { answer, hint } = polled;
    const isDue = answer.command !== undefined && asksForView(answer, this.#settings.clock.now(), asks);
    const view = isDue ? await this.#settings.views.viewOf(answer.command) : undefined;
    const serials = partnersAsked(view, answer);
    if (serials.length === 0) return { polled: answer, hint, view };
    const partners = await this.#settings.inventory.reports({ account: device.account, serials });
    return { polled: { ...answer, partners }, hint, view };
  }

  /**
   * What the inventory knows, and the hint for the next poll. Which one it is follows from the plan, that comes with the answer: where it
   * is another one than the last, the inventory is told at once, because it counts gaps by it.
   */
  async #polled(device: DevicePath): Promise<{ readonly answer: PollAnswer; readonly hint: number } | undefined> {
    const { inventory, hints, clock } = this.#settings;
    const { account, serial } = device;
    const now = clock.now();
    const ordinary = hintFor(serial, undefined, hints, now);
    const last = this.#told.get(serial) ?? ordinary;
    const answer = await inventory.poll({ account, serial, hintMilliseconds: last }, now);
    if (answer === undefined) return undefined;
    const hint = hintFor(serial, answer.plan, hints, now);
    if (hint === ordinary) this.#told.delete(serial);
    else this.#told.set(serial, hint);
    if (hint === last) return { answer, hint };
    const again = await inventory.poll({ account, serial, hintMilliseconds: hint }, now);
    return again && { answer: again, hint };
  }
}

function checkinOf({ configData, deployment, cancel }: ReturnType<typeof answerPoll>): CheckinAnswer {
  if (cancel !== undefined) return "Cancel";
  if (deployment !== undefined) return "Deployment";
  return configData ? "ConfigData" : "Nothing";
}
