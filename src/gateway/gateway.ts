import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { type DeviceInventory, InventoryUnavailable } from "../control/inventory.ts";
import type { PollHints } from "../core/socket/answer.ts";
import type { Clock } from "../runtime/clock.ts";
import { Artifacts } from "./artifacts.ts";
import { readBody } from "./body.ts";
import type { ClientAnswerName } from "./clients/answer.ts";
import type { ClientGateway } from "./clients/client-gateway.ts";
import { type ClientPath, clientPathOf } from "./clients/route.ts";
import { callerOf } from "./credentials.ts";
import { Ddi } from "./ddi.ts";
import { type Rate, RateLimit } from "./limits.ts";
import { listen, type TlsFiles } from "./listener.ts";
import type { Log } from "./log.ts";
import { type CheckinAnswer, NOTHING_HERE, type Reply, tooMany, UNAUTHORIZED, unavailable } from "./reply.ts";
import { METHODS, type Route, routeOf } from "./routes.ts";
import type { Views } from "./views.ts";

export interface GatewaySettings {
  /** Port 0 takes a free one. */
  readonly address: { readonly host?: string; readonly port: number };
  readonly clock: Clock;
  readonly inventory: DeviceInventory;
  readonly views: Views;
  readonly hints: PollHints;
  readonly log: Log;
  /** How devices reach us, for the links: scheme, host and port. Absent: as the request says. */
  readonly publicUrl?: string;
  readonly tls?: TlsFiles;
  /** The folder of artifacts that the gateway serves itself. */
  readonly artifacts?: string;
  /** Of one device (default 1 a second, 20 at once), and of one address (default 100 a second, 200 at once; behind a balancer more). */
  readonly limits?: { readonly device?: Rate; readonly address?: Rate };
  /** Told of each poll: what it was answered, and how long that took in seconds. */
  readonly onCheckin?: (answer: CheckinAnswer, seconds: number) => void;
  /** What answers Clients, if this gateway does; whoever opened it closes it. */
  readonly clients?: Pick<ClientGateway, "answer">;
  /** The same as `onCheckin`, of each request of a Client. */
  readonly onClientCheckin?: (answer: ClientAnswerName, seconds: number) => void;
}

export interface Gateway {
  readonly port: number;
  close(): Promise<void>;
}

const DEVICE_RATE: Rate = { perSecond: 1, burst: 20 };
const ADDRESS_RATE: Rate = { perSecond: 100, burst: 200 };
/** An answer that is not there by then is none: the device comes again. */
const ANSWERS_WITHIN_MS = 10_000;
const HOST = /^[0-9A-Za-z.-]{1,253}(:[0-9]{1,5})?$|^\[[0-9a-fA-F:]{2,45}\](:[0-9]{1,5})?$/;

/** Opens the gateway for devices. Rejects when the address is taken or a certificate cannot be used. */
export async function startGateway(settings: GatewaySettings): Promise<Gateway> {
  const { clock, log } = settings;
  const elapsed = () => clock.elapsed();
  const gateway = new DeviceGateway(settings, {
    ddi: new Ddi({ ...settings, artifacts: new Artifacts(settings.artifacts) }),
    devices: new RateLimit(settings.limits?.device ?? DEVICE_RATE, elapsed),
    addresses: new RateLimit(settings.limits?.address ?? ADDRESS_RATE, elapsed),
    authorities: () => listener.authorities(),
  });
  const listener: Awaited<ReturnType<typeof listen>> = await listen(settings, (request, response) => {
    gateway.serve(request, response).catch((error: unknown) => {
      // The device went away in the middle of a file, or sent half a request: its own affair.
      log("debug", `a request of ${request.socket.remoteAddress ?? "somebody"} was not finished: ${String(error)}`);
      response.destroy();
    });
  });
  return { port: listener.port, close: () => listener.close() };
}

interface Parts {
  readonly ddi: Ddi;
  readonly devices: RateLimit;
  readonly addresses: RateLimit;
  readonly authorities: () => Parameters<typeof callerOf>[3];
}

class DeviceGateway {
  readonly #settings: GatewaySettings;
  readonly #parts: Parts;

  constructor(settings: GatewaySettings, parts: Parts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { clock, onCheckin, clients } = this.#settings;
    const begun = clock.elapsed();
    const path = clients === undefined ? undefined : clientPathOf(request.url ?? "");
    if (clients !== undefined && path !== undefined) return this.#serveClient(request, response, clients, path);
    const route = routeOf(request.url ?? "");
    const shown = shownOf(await this.#inTime(this.#reply(request, route)));
    if (route?.to === "poll" && shown.checkin !== undefined) onCheckin?.(shown.checkin, (clock.elapsed() - begun) / 1_000);
    await write(request, response, shown);
  }

  async #serveClient(
    request: IncomingMessage,
    response: ServerResponse,
    clients: Pick<ClientGateway, "answer">,
    path: ClientPath,
  ): Promise<void> {
    const { clock, onClientCheckin } = this.#settings;
    const begun = clock.elapsed();
    const crowded = this.#parts.addresses.take(request.socket.remoteAddress ?? "");
    // What it would be counted as, when nothing better comes.
    let name: ClientAnswerName = crowded > 0 ? "TooMany" : "Unavailable";
    const answered = async (): Promise<Reply> => {
      const found = await clients.answer(request, path, this.#origin(request));
      ({ name } = found);
      return found.reply;
    };
    const reply = await this.#inTime(crowded > 0 ? Promise.resolve(tooMany(crowded)) : answered());
    const shown = shownOf(reply);
    onClientCheckin?.(shown.status === 503 ? "Unavailable" : name, (clock.elapsed() - begun) / 1_000);
    // The protocol has a word of its own for it.
    const wait = shown.headers?.["retry-after"];
    await write(request, response, wait === undefined ? shown : { ...shown, headers: { ...shown.headers, "x-retry-after": wait } });
  }

  async #reply(request: IncomingMessage, route: Route | undefined): Promise<Reply> {
    const { clock, inventory } = this.#settings;
    const { ddi, devices, addresses, authorities } = this.#parts;
    const crowded = addresses.take(request.socket.remoteAddress ?? "");
    if (crowded > 0) return tooMany(crowded);
    if (route === undefined) return NOTHING_HERE;
    const caller = await callerOf(request, route, inventory, authorities(), clock.now());
    if (caller === undefined) return UNAUTHORIZED;
    const eager = devices.take(`${route.account}/${route.serial}`);
    if (eager > 0) return tooMany(eager);
    const allowed = METHODS[route.to];
    if (!allowed.includes(request.method ?? "")) return { status: 405, headers: { allow: allowed.join(", ") } };
    // Only a token of the device itself says that it is enrolled.
    if (!(await this.#isEnrolled(request, route))) return UNAUTHORIZED;
    const read = await readBody(request);
    if ("reply" in read) return read.reply;
    return ddi.answer({ route, origin: this.#origin(request), headers: request.headers, body: read.body });
  }

  /** A token of the device was made when it was enrolled; whoever speaks for a whole account may speak of anything. */
  #isEnrolled(request: IncomingMessage, { to, account, serial }: Route): Promise<boolean> | boolean {
    const asksByItself = to === "poll" || to === "deployment" || to === "installed" || to === "cancelAction";
    if (asksByItself || request.headers.authorization?.startsWith("TargetToken ") === true) return true;
    return this.#parts.ddi.knows({ account, serial });
  }

  #origin(request: IncomingMessage): string {
    const { publicUrl, tls, address } = this.#settings;
    if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, "");
    const host = request.headers.host ?? "";
    const named = HOST.test(host) ? host : `${address.host ?? "localhost"}:${request.socket.localPort ?? address.port}`;
    return `${tls === undefined ? "http" : "https"}://${named}`;
  }

  /** Turns whatever happens into an answer, in time. */
  async #inTime(work: Promise<Reply>): Promise<Reply> {
    const { clock, log } = this.#settings;
    let cancel = () => {};
    const late = new Promise<Reply>((resolve) => {
      cancel = clock.after(ANSWERS_WITHIN_MS, () => resolve(unavailable(ANSWERS_WITHIN_MS)));
    });
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      if (error instanceof InventoryUnavailable) return unavailable(error.retryAfterMilliseconds);
      log(
        "error",
        `a device's request failed by a defect of the gateway: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      return { status: 500, text: "a defect of the gateway; it was logged\n" };
    } finally {
      cancel();
    }
  }
}

/** What is shown of a reply, asked in the turn in which it is written. */
const shownOf = (reply: Reply): Reply => (reply.stillTrue === undefined || reply.stillTrue() ? reply : (reply.otherwise ?? NOTHING_HERE));

async function write(request: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> {
  const { status, headers = {}, body, text, file } = reply;
  // What was not read of a refused request must not be taken for the next one.
  const ends = request.complete ? {} : { connection: "close" };
  if (file !== undefined) {
    response.writeHead(status, { ...headers, ...ends });
    if (request.method === "HEAD" || file.end < file.start) return void response.end();
    // A device that takes nothing for a minute is gone.
    response.setTimeout(60_000, () => response.destroy());
    return pipeline(createReadStream(file.path, { start: file.start, end: file.end }), response);
  }
  const payload = body === undefined ? text : JSON.stringify(body);
  const type = body === undefined ? "text/plain; charset=utf-8" : "application/hal+json;charset=utf-8";
  const described =
    payload === undefined ? { "content-length": 0 } : { "content-type": type, "content-length": Buffer.byteLength(payload) };
  response.writeHead(status, { "cache-control": "no-store", ...described, ...headers, ...ends });
  response.end(request.method === "HEAD" ? undefined : payload);
}
