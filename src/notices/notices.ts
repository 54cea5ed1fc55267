import { lookup } from "node:dns/promises";
import type { Notices } from "../control/notices.ts";
import type { Notice, NoticeKind } from "../core/socket/notice.ts";
import type { Clock } from "../runtime/clock.ts";
import { isPublic } from "./addresses.ts";
import { cloudEvent, CONTENT_TYPE } from "./cloud-event.ts";
import { type AllowedHosts, type NoticeAddress, readAddress } from "./hosts.ts";
import { type Answer, post } from "./post.ts";
import { accountSecret, signatureHeaders } from "./signature.ts";
import { Remembered, Waits } from "./waits.ts";

export interface NoticeSettings {
  readonly clock: Pick<Clock, "now" | "elapsed">;
  readonly allowed: AllowedHosts;
  readonly log: (level: "debug" | "info" | "warn" | "error", message: string) => void;
  /** The provider's key, of which each account has its secret; absent: nothing is signed. */
  readonly key?: string;
  readonly userAgent: string;
  /** Told when the channel that counts took a notice. */
  readonly onSent?: (kind: NoticeKind) => void;
  /** Every address of a name; default: as this machine resolves names. */
  readonly resolve?: (host: string) => Promise<readonly { readonly address: string }[]>;
  /** Authorities that count instead of the machine's, PEM. */
  readonly authorities?: string;
  /** From looking up the name to the answer. */
  readonly deadlineMilliseconds?: number;
}

type Channel = Parameters<Notices["send"]>[1][number];

export interface ClosableNotices extends Notices {
  refusal(url: string, account: string): string | undefined;
  problem(account: string, channels: readonly Channel[]): string | undefined;
  /** Ends what is under way: not accepted, and sent again by whoever leads next. */
  close(): Promise<void>;
}

const DEADLINE_MS = 10_000;
const MOST_REMEMBERED = 10_000;
/** Of one name; so many share the time of one try. */
const MOST_ADDRESSES = 3;

/** Notices over HTTPS (rule W3): CloudEvents, signed, to hosts that the provider allows; only a 2xx is an acceptance. */
export function createNotices(settings: NoticeSettings): ClosableNotices {
  return new HttpsNotices(settings);
}

class HttpsNotices implements ClosableNotices {
  readonly #settings: NoticeSettings;
  /** Receivers that do not answer: the notices of all sites of an account wait for one, not each for its own deadline. */
  readonly #silent = new Waits(MOST_REMEMBERED);
  /** Notices that a receiver does not take though it is there, told once each. */
  readonly #refused = new Remembered(MOST_REMEMBERED);
  /** What each receiver did with the last notice that it did not take. */
  readonly #problems = new Map<string, string>();
  /** Copies that were taken: the first channel may be tried again and again meanwhile. */
  readonly #copied = new Remembered(MOST_REMEMBERED);
  readonly #underWay = new Map<string, Promise<boolean>>();
  readonly #closing = new AbortController();

  constructor(settings: NoticeSettings) {
    this.#settings = settings;
  }

  refusal(url: string, account: string): string | undefined {
    const address = readAddress(url, this.#settings.allowed, account);
    return "problem" in address ? address.problem : undefined;
  }

  problem(account: string, channels: readonly Channel[]): string | undefined {
    const [first] = this.#counting(account, channels);
    return first && this.#problems.get(channelKey({ account }, first));
  }

  async send(notice: Notice, channels: readonly Channel[]): Promise<boolean> {
    const [first, ...others] = this.#counting(notice.account, channels);
    if (first === undefined) return false;
    for (const other of others) void this.#copy(notice, other);
    const taken = await this.#once(notice, first);
    if (taken) this.#settings.onSent?.(notice.kind);
    return taken;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const { deadlineMilliseconds = DEADLINE_MS } = this.#settings;
    // A try ends with its signal. One that does not is not worth a process that cannot end.
    await within(Promise.all(this.#underWay.values()), AbortSignal.timeout(deadlineMilliseconds)).catch(() => {});
  }

  /** A channel that is refused is as good as not configured: the next one counts. */
  #counting(account: string, channels: readonly Channel[]): readonly Channel[] {
    return channels.filter(({ url }) => this.refusal(url, account) === undefined);
  }

  #failed(key: string, problem: string): void {
    this.#problems.delete(key);
    this.#problems.set(key, problem);
    const [oldest] = this.#problems.keys();
    if (this.#problems.size > MOST_REMEMBERED && oldest !== undefined) this.#problems.delete(oldest);
  }

  async #copy(notice: Notice, channel: Channel): Promise<void> {
    const key = `${channelKey(notice, channel)} ${notice.id}`;
    if (!this.#copied.has(key) && (await this.#once(notice, channel))) this.#copied.add(key);
  }

  /** One try at a time of the same notice, however many ask. */
  #once(notice: Notice, channel: Channel): Promise<boolean> {
    const key = `${channelKey(notice, channel)} ${notice.id}`;
    const running = this.#underWay.get(key);
    if (running !== undefined) return running;
    const leftAlone = !this.#silent.isOver(channelKey(notice, channel), this.#settings.clock.elapsed());
    if (leftAlone || this.#closing.signal.aborted) return Promise.resolve(false);
    const attempt = this.#try(notice, channel)
      .catch((error: unknown) => {
        // Nobody waits for a copy, so a defect in one would end the process.
        const name = `channel ${channel.name} of account ${notice.account}`;
        this.#settings.log("error", `notice ${notice.id} (${notice.kind}) to ${name} failed: ${String(error)}; it is sent again`);
        return false;
      })
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, attempt);
    return attempt;
  }

  async #try(notice: Notice, channel: Channel): Promise<boolean> {
    const { clock, log } = this.#settings;
    const key = channelKey(notice, channel);
    const name = `channel ${channel.name} of account ${notice.account}`;
    const answer = await this.#post(notice, channel);
    if ("problem" in answer) {
      if (this.#closing.signal.aborted) return false;
      const problem = `${name} takes no notices: ${answer.problem}`;
      this.#failed(key, problem);
      if (this.#silent.failed(key, clock.elapsed())) log("warn", `${problem}; they are sent again until it does`);
      return false;
    }
    const { status, retryAfterSeconds = 0 } = answer;
    if (status >= 200 && status < 300) {
      this.#problems.delete(key);
      if (this.#silent.succeeded(key)) log("info", `${name} takes notices again`);
      return true;
    }
    if (isAboutTheNotice(status)) {
      this.#silent.succeeded(key);
      this.#failed(key, `${name} does not take notice ${notice.id} (${notice.kind}): it answered ${status}`);
      if (this.#refused.add(`${key} ${notice.id}`))
        log("warn", `${name} does not take notice ${notice.id} (${notice.kind}): it answered ${status}; it is sent again until it does`);
      return false;
    }
    const problem = `${name} takes no notices: it answered ${status}`;
    this.#failed(key, problem);
    if (this.#silent.failed(key, clock.elapsed(), retryAfterSeconds * 1_000)) log("warn", `${problem}; they are sent again until it does`);
    return false;
  }

  async #post(notice: Notice, { url: text }: Channel): Promise<Answer> {
    const { clock, key, allowed, userAgent, authorities, deadlineMilliseconds = DEADLINE_MS } = this.#settings;
    const found = readAddress(text, allowed, notice.account);
    if ("problem" in found) return found;
    const signal = AbortSignal.any([AbortSignal.timeout(deadlineMilliseconds), this.#closing.signal]);
    const addresses = await this.#addressesOf(found, signal);
    if ("problem" in addresses) return addresses;
    const at = clock.now();
    const body = cloudEvent(notice, at);
    const signed = key === undefined ? {} : signatureHeaders(accountSecret(key, notice.account), { id: notice.id, at, body });
    const headers = { "content-type": CONTENT_TYPE, "user-agent": userAgent, ...signed };
    let answer: Answer | undefined;
    // One that is silent leaves its part of the time to the next; what was sent twice bears one id.
    for (const address of addresses) {
      const ownTime = AbortSignal.any([signal, AbortSignal.timeout(deadlineMilliseconds / addresses.length)]);
      const { url, host } = found;
      answer = await post({ url, host, address, headers, body, signal: ownTime, ...(authorities === undefined ? {} : { authorities }) });
      if ("status" in answer || signal.aborted) return answer;
    }
    return answer ?? { problem: `${found.host} has no address` };
  }

  /**
   * The addresses that are called, one after the other. One that is not public refuses the name as a whole: what its owner may answer next
   * is not ours to guess.
   */
  async #addressesOf(
    { host, mayBePrivate }: NoticeAddress,
    signal: AbortSignal,
  ): Promise<readonly string[] | { readonly problem: string }> {
    const resolve = this.#settings.resolve ?? ((name: string) => lookup(name, { all: true }));
    try {
      const found = await within(resolve(host), signal);
      const inside = found.find(({ address }) => !isPublic(address));
      if (inside !== undefined && !mayBePrivate) {
        return { problem: `${host} is an address of the provider's own network; only --notice-private-hosts may be` };
      }
      return [...new Set(found.map(({ address }) => address))].slice(0, MOST_ADDRESSES);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "no answer in time";
      return { problem: `${host} could not be found (${code})` };
    }
  }
}

/** Of one account: two that name the same address do not hold up each other. */
const channelKey = ({ account }: Pick<Notice, "account">, { url }: Channel): string => JSON.stringify([account, url]);

/** The receiver is there and does not like this notice; 408, 425 and 429 are about the moment, 401, 403 and 404 about the address. */
const isAboutTheNotice = (status: number): boolean => status >= 400 && status < 500 && ![401, 403, 404, 408, 425, 429].includes(status);

function within<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("too late")), { once: true });
    work.then(resolve, reject);
  });
}
