import type { IncomingMessage } from "node:http";
import type { ClientCheckIns } from "../../control/client-inventory.ts";
import { type AnsweredCall, checkIn, type ClientCall } from "../../control/clients/check-in.ts";
import { clientsOf, hashOf } from "../../control/device-credentials.ts";
import type { DeviceInventory } from "../../control/inventory.ts";
import type { ClientRolloutView } from "../../core/client/rollout-view.ts";
import { encodingOf, type OmahaRequest, readRequest } from "../../omaha/request.ts";
import { type AppResponse, writeResponse } from "../../omaha/response.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type Artifacts, fileReply, isInFolder } from "../artifacts.ts";
import { readText } from "../body.ts";
import { type Rate, RateLimit } from "../limits.ts";
import type { Log } from "../log.ts";
import { badRequest, NOTHING_HERE, type Reply, tooMany, unavailable } from "../reply.ts";
import { type AppCall, appResponse, callsOf, type ClientAnswerName, notKept, responseOf } from "./answer.ts";
import { DEFAULT_APP_ID } from "./apps.ts";
import type { Directories } from "./directories.ts";
import { KnownClients } from "./known-clients.ts";
import type { NewClients } from "./new-clients.ts";
import { ReportQueue } from "./report-queue.ts";
import { artifactFolder, type ClientPath } from "./route.ts";
import type { ClientsSeen, ClientViews } from "./views.ts";

export interface ClientGatewaySettings {
  readonly inventory: Pick<DeviceInventory, "authenticate">;
  readonly checkIns: ClientCheckIns;
  readonly views: ClientViews;
  readonly directories: Directories;
  readonly newClients: NewClients;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
  readonly log: Log;
  /** How Clients name themselves (default `rollward.client`). */
  readonly appId?: string;
  /** Check-ins of all devices of one account (default 500 a second, 1,000 at once), and of one device (1 a second, 20 at once). */
  readonly limits?: { readonly account?: Rate; readonly client?: Rate };
}

/** A reply, and what it is called when answers are counted. */
export interface ClientReply {
  readonly reply: Reply;
  readonly name: ClientAnswerName;
}

interface Answered {
  readonly response: AppResponse;
  readonly name: ClientAnswerName;
}

const ACCOUNT_RATE: Rate = { perSecond: 500, burst: 1_000 };
const CLIENT_RATE: Rate = { perSecond: 1, burst: 20 };
/** What is not seen yet, or not any more, is seen again by then. */
const SEEN_AGAIN_MS = 5_000;

const HEADER = /^ClientToken ([0-9A-Za-z_.~+/=-]{16,256})$/;
/** One answer for every reason, so that nobody learns which accounts there are (rule I15). */
const UNAUTHORIZED: Reply = {
  status: 401,
  headers: { "www-authenticate": 'ClientToken realm="rollward"' },
  text: "write Authorization: ClientToken with the token of the account's Clients, or that token behind the account in the address\n",
};

/**
 * The protocol of Clients (Omaha), call by call. It decides nothing: `checkIn` answers from memory, of the inventory it reads what is known
 * of the device, and what became of the call is written later, together with others. Where the inventory is away a Client is told to come
 * again: what is not known of a device may have failed on it three times.
 */
export class ClientGateway {
  readonly #settings: ClientGatewaySettings;
  readonly #known: KnownClients;
  readonly #reports: ReportQueue;
  readonly #accounts: RateLimit;
  readonly #clients: RateLimit;
  /** By UID of the rollout what is wrong with its file; said once. */
  readonly #missing = new Map<string, string>();
  #looking = false;

  constructor(settings: ClientGatewaySettings) {
    this.#settings = settings;
    const elapsed = () => settings.clock.elapsed();
    this.#known = new KnownClients(settings.checkIns);
    this.#reports = new ReportQueue(settings);
    this.#accounts = new RateLimit(settings.limits?.account ?? ACCOUNT_RATE, elapsed);
    this.#clients = new RateLimit(settings.limits?.client ?? CLIENT_RATE, elapsed);
  }

  /** Rejects with InventoryUnavailable, and then nothing was offered. */
  async answer(request: IncomingMessage, path: ClientPath, origin: string): Promise<ClientReply> {
    const { artifact, account } = path;
    if (!(await this.#isAccount(request, path))) return { reply: UNAUTHORIZED, name: "Unauthorized" };
    const crowded = this.#accounts.take(account);
    if (crowded > 0) return { reply: tooMany(crowded), name: "TooMany" };
    const allowed = artifact === undefined ? ["POST"] : ["GET", "HEAD"];
    if (!allowed.includes(request.method ?? "")) {
      const instead = artifact === undefined ? "a check-in is a POST" : "a file is fetched by GET";
      return { reply: { status: 405, headers: { allow: allowed.join(", ") }, text: `${instead}\n` }, name: "Unreadable" };
    }
    return artifact === undefined ? this.#checkIns(request, path, origin) : { reply: await this.#file(request, artifact), name: "File" };
  }

  /** What is wrong with the files of the rollouts that there are, by their UIDs, as it was found last. */
  missing(): ReadonlyMap<string, string> {
    const present = new Set(this.#settings.views.seen()?.rollouts.map(({ uid }) => uid));
    for (const uid of this.#missing.keys()) if (!present.has(uid)) this.#missing.delete(uid);
    return new Map(this.#missing);
  }

  /** Looks at every file that may still be offered, before a device asks for it. One look at a time; never rejects. */
  async lookAtFiles(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    for (const rollout of this.#settings.views.seen()?.rollouts ?? []) {
      const isOver = rollout.provider === "Stopped" || rollout.superseded !== undefined;
      if (isOver || !isInFolder(rollout.artifact.url)) this.#missing.delete(rollout.uid);
      else await this.#isThere(rollout);
    }
    this.#looking = false;
  }

  /** Writes what is not written yet; nobody is answered any more. */
  close(): Promise<void> {
    return this.#reports.close();
  }

  async #isAccount(request: IncomingMessage, { account, token }: ClientPath): Promise<boolean> {
    const { inventory, clock } = this.#settings;
    const written = request.headers.authorization;
    const given = written === undefined ? token : HEADER.exec(written)?.[1];
    if (given === undefined || token === "") return false;
    // No token of a Socket, and no gateway token: neither speaks for Clients.
    const caller = await inventory.authenticate(hashOf(given), clock.now());
    return caller?.account === clientsOf(account) && caller.serial === undefined;
  }

  async #checkIns(request: IncomingMessage, path: ClientPath, origin: string): Promise<ClientReply> {
    const { "content-encoding": coding = "identity", "content-type": type } = request.headers;
    if (coding !== "identity") {
      return {
        reply: { status: 415, headers: { "accept-encoding": "identity" }, text: "write the body as it is, not compressed\n" },
        name: "Unreadable",
      };
    }
    const body = await readText(request);
    if ("reply" in body) return { reply: body.reply, name: "Unreadable" };
    const read = readRequest(body.text, encodingOf(type, body.text));
    if ("problem" in read) return { reply: badRequest(read.problem), name: "Unreadable" };
    const calls = callsOf(read, path.account, this.#settings.appId ?? DEFAULT_APP_ID);
    for (const one of calls) {
      const eager = "call" in one ? this.#clients.take(`${path.account}/${one.call.device}`) : 0;
      if (eager > 0) return { reply: tooMany(eager), name: "TooMany" };
    }
    return this.#answered(read, calls, path, `${origin}${artifactFolder(path)}`);
  }

  /** What is not asked for again below has to be awaited before: a view, a freshness and an answer are of one moment. */
  async #answered(request: OmahaRequest, calls: readonly AppCall[], path: ClientPath, folder: string): Promise<ClientReply> {
    const { views, clock, directories, newClients } = this.#settings;
    const asked = calls.flatMap((one) => ("call" in one ? [one.call] : []));
    if (asked.length > 0 && this.#reports.isFull) return { reply: unavailable(SEEN_AGAIN_MS), name: "Unavailable" };
    await this.#reports.written(asked);
    const known = await Promise.all(asked.map((call) => this.#known.of(call)));
    const directory = asked.length === 0 ? undefined : await directories.of(path.account);
    let seen = views.seen();
    let missing = await this.#missingOf(seen, asked);
    while (seen !== views.seen()) {
      seen = views.seen();
      missing = await this.#missingOf(seen, asked);
    }
    if (seen === undefined) return { reply: unavailable(SEEN_AGAIN_MS), name: "Unavailable" };
    const now = clock.now();
    const fleet = { fresh: views.mayOffer(), paused: seen.fleetPaused, missing };
    const { rollouts } = seen;
    const sight = { rollouts, fleet, ...(directory === undefined ? {} : { directory }) };
    const apps = calls.map((one): Answered => {
      if (!("call" in one)) return { response: one.refused, name: one.name };
      const before = known[asked.indexOf(one.call)];
      const why = before === undefined ? newClients.refuses(path.account) : undefined;
      if (why !== undefined) return { response: notKept(one.app, why), name: "NotKept" };
      const answered = checkIn(one.call, before, { ...sight, account: seen.accountView(path.account, one.call.os) }, now);
      this.#reports.add(answered.reports);
      return { response: appResponse(one.app, answered, folder), name: nameOf(answered) };
    });
    const responses = apps.map(({ response }) => response);
    const { type, body } = writeResponse(responseOf(request.protocol, responses, now), request.encoding);
    const reply: Reply = {
      status: 200,
      headers: { "content-type": type },
      text: body,
      // Between now and the writing the process may have been stopped, and a pause may have been confirmed in the name of this replica.
      ...(apps.some(({ name }) => name === "Offer")
        ? { stillTrue: () => views.mayOffer() && views.seen() === seen, otherwise: unavailable(SEEN_AGAIN_MS) }
        : {}),
    };
    return { reply, name: apps[0]?.name ?? "Report" };
  }

  /** UIDs of the rollouts whose file is not to be had (rule C7); one of our own folder is looked at. */
  async #missingOf(seen: ClientsSeen | undefined, asked: readonly ClientCall[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (const rollout of seen?.rollouts ?? []) {
      if (!isInFolder(rollout.artifact.url) || !asked.some(({ os }) => os === rollout.os)) continue;
      if (!(await this.#isThere(rollout))) found.add(rollout.uid);
    }
    return found;
  }

  async #isThere({ uid, name, artifact }: ClientRolloutView): Promise<boolean> {
    const facts = await this.#settings.artifacts.describe(artifact);
    const problem = "problem" in facts ? facts.problem : undefined;
    if (problem !== undefined && this.#missing.get(uid) !== problem)
      this.#settings.log("warn", `ClientRollout ${name} is offered to nobody: ${problem}`);
    if (problem === undefined) this.#missing.delete(uid);
    else this.#missing.set(uid, problem);
    return problem === undefined;
  }

  /** A file that some rollout names, and no other one of the folder. */
  async #file({ headers }: IncomingMessage, file: string): Promise<Reply> {
    const { views, artifacts } = this.#settings;
    const rollout = views.seen()?.rollouts.find(({ artifact }) => artifact.url === file);
    const facts = rollout && (await artifacts.describe(rollout.artifact));
    return facts === undefined || "problem" in facts ? NOTHING_HERE : fileReply(facts, headers);
  }
}

const nameOf = ({ answer }: AnsweredCall): ClientAnswerName =>
  answer === undefined ? "Report" : answer.kind === "Offer" ? "Offer" : answer.reason;
