import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds; who asks much more often is answered 429 by a gateway. */
const POLL = 2_000;

/** What a Socket was told to install, and when by the calendar it began. */
interface Begun {
  readonly command: string;
  readonly version: string;
  readonly at: number;
}

interface HeldSocketSettings {
  readonly serial: string;
  readonly token: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The calendar, in milliseconds since 1970. */
  readonly now: () => number;
  /** Ports of the gateways that run at the moment: it asks one after the other. */
  readonly ports: () => readonly number[];
}

/** A Socket on 17.2 that begins each command which it was not told before, and ends it when the test lets it; gateways may come and go. */
export class HeldSocket {
  /** Its own ledger: every command that it ever began. */
  readonly begun: Begun[] = [];
  version = "17.2";
  readonly #settings: HeldSocketSettings;
  readonly #running: Promise<void>;
  #turns = 0;
  #isOver = false;
  #mayEnd = false;
  #inHand: { readonly id: string; readonly version: string } | undefined;

  constructor(settings: HeldSocketSettings) {
    this.#settings = settings;
    this.#running = this.#run();
  }

  /** What it has begun is installed, and the version reported. */
  release(): void {
    this.#mayEnd = true;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      // A gateway that is gone, or not there yet, is asked again: that is what a Socket does.
      await this.#turn().catch(() => undefined);
      await delay(POLL);
    }
  }

  async #turn(): Promise<void> {
    const ports = this.#settings.ports();
    const base = `http://127.0.0.1:${ports[(this.#turns += 1) % ports.length]}/acme/controller/v1/${this.#settings.serial}`;
    const { _links: links = {} } = (await this.#call(base, "GET")) as { _links?: Record<string, { href: string } | undefined> };
    if (links["configData"] !== undefined) await this.#report(base);
    if (links["deploymentBase"] !== undefined) await this.#take(links["deploymentBase"].href);
    if (this.#inHand === undefined || !this.#mayEnd) return;
    await this.#say(base, this.#inHand.id, "closed", "success");
    this.version = this.#inHand.version;
    this.#inHand = undefined;
    await this.#report(base);
  }

  async #take(href: string): Promise<void> {
    const { id, deployment } = (await this.#call(href, "GET")) as { id: string; deployment: { chunks: { version: string }[] } };
    if (this.begun.some(({ command }) => command === id)) return;
    const version = deployment.chunks[0]!.version;
    this.begun.push({ command: id, version, at: this.#settings.now() });
    this.#inHand = { id, version };
    await this.#say(href.replace(/\/deploymentBase.*/, ""), id, "proceeding", "none");
  }

  #say(base: string, id: string, execution: string, finished: string): Promise<unknown> {
    return this.#call(`${base}/deploymentBase/${id}/feedback`, "POST", { id, status: { execution, result: { finished } } });
  }

  #report(base: string): Promise<unknown> {
    return this.#call(`${base}/configData`, "PUT", { data: { version: this.version, ...this.#settings.attributes } });
  }

  async #call(url: string, method: string, body?: object): Promise<unknown> {
    const headers = { authorization: `TargetToken ${this.#settings.token}`, "content-type": "application/json" };
    const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${text}`);
    return text === "" ? {} : (JSON.parse(text) as unknown);
  }
}
