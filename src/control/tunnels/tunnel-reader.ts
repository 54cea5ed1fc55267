import type { PopCluster } from "../../api/pop-cluster.ts";
import type { Announcement } from "../../core/decision.ts";
import { ANSWER_BYTES, readTunnels, type TunnelAnswer, tunnelQuery } from "../../core/tunnel-site/answer.ts";
import type { TunnelReading } from "../../core/tunnel-site/observation.ts";
import { MOST_TUNNELS, TRUSTED_FOR } from "../../core/tunnel-site/tunnels.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Sampler } from "../../runtime/sampler.ts";
import type { HubCaches } from "../hub-caches.ts";
import type { Prober } from "../ports.ts";
import { askPrometheus, type ReadSecret } from "../run-probe.ts";
import type { TunnelIndex } from "./tunnel-index.ts";

export interface TunnelReaderPorts {
  readonly clock: Clock;
  readonly prober: Prober;
  readonly readSecret: ReadSecret;
  readonly pops: HubCaches["pops"];
  readonly index: TunnelIndex;
  readonly defaultPrometheus: string | undefined;
  /** What is known of a site's tunnels is another now. */
  readonly onChange: (site: string) => void;
  /** A PoP's Prometheus has not told of tunnels for ten minutes, and what it said last instead; once a minute. */
  readonly onUnanswered: (pop: PopCluster, unanswered: Announcement) => void;
}

/** What was heard of the tunnels of one PoP, for metrics. */
export interface TunnelFacts {
  readonly pop: string;
  readonly up: number;
  readonly down: number;
  readonly unknown: number;
  /** Elapsed milliseconds since its Prometheus answered; undefined while it never has. */
  readonly answeredMilliseconds: number | undefined;
  /** Series of its last answer that name no site of an account. */
  readonly ignored: number;
}

interface TunnelProbe {
  readonly key: string;
  readonly intervalMilliseconds: number;
  readonly pop: string;
  readonly url: string;
  readonly tokenSecret?: string;
  readonly caSecret?: string;
}

interface Report {
  up: boolean;
  heardAt: number;
  /** Its hour is over, and the site was told. */
  expired: boolean;
}

interface Heard {
  readonly reports: Map<string, Report>;
  answeredAt: number | undefined;
  ignored: number;
  /** When it was asked first, by this term. */
  readonly askedAt: number;
}

const EVERY = 60_000;
const TIMEOUT = 10_000;
/** Of a PoP that answers again after this, the sites about which it is silent are looked at. */
const ANSWERED_LATELY = 3 * EVERY;
/** A Prometheus that restarts, and one question that is lost, say nothing yet. */
const UNANSWERED_FOR = 10 * EVERY;
const AT_ONCE = 8;
const OWNER = "tunnels";

/**
 * Asks the Prometheus of each PoP once a minute of elapsed time for its tunnels, and remembers what was said last; nobody is asked
 * while there is no site. All that it says is heard about sites that count alone, and the rest is a number.
 */
export class TunnelReader {
  readonly #ports: TunnelReaderPorts;
  readonly #sampler: Sampler<TunnelProbe, TunnelAnswer>;
  readonly #heard = new Map<string, Heard>();
  #probes = new Map<string, TunnelProbe>();
  /** How each PoP was last asked, by its name: a roll changes a PoP often, and whom it asks seldom. */
  readonly #asked = new Map<string, string | undefined>();
  #beganAt = 0;
  #ends: (() => void)[] = [];

  constructor(ports: TunnelReaderPorts) {
    this.#ports = ports;
    this.#sampler = new Sampler<TunnelProbe, TunnelAnswer>({
      clock: ports.clock,
      run: (probe) => this.#ask(probe),
      equal: () => false,
      kept: 1,
      concurrency: AT_ONCE,
      onChange: (_, key) => this.#fold(key),
    });
  }

  start(): void {
    const { clock, pops, index, onChange } = this.#ports;
    this.#beganAt = clock.elapsed();
    this.#ends.push(pops.onChange((pop, deleted) => this.#isAskedOtherwise(pop, deleted) && this.refresh()));
    // What status tells from before, and nobody has told since, turns Unknown then: no report is there whose age could say so.
    this.#ends.push(clock.after(TRUSTED_FOR + EVERY, () => [...index.keys()].forEach(onChange)));
    this.refresh();
  }

  stop(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#sampler.stop();
  }

  /** Asks whom there is to ask, from now on: called when a PoP or the sites that count have changed. */
  refresh(): void {
    const { index, pops } = this.#ports;
    const wanted = index.size === 0 ? [] : pops.list().flatMap((pop) => this.#probeOf(pop));
    if (wanted.length === this.#probes.size && wanted.every(({ key }) => this.#probes.has(key))) return;
    this.#probes = new Map(wanted.map((probe) => [probe.key, probe]));
    const asked = new Set(wanted.map(({ pop }) => pop));
    for (const pop of this.#heard.keys())
      if (!asked.has(pop) && pops.list().every(({ metadata }) => metadata.name !== pop)) this.#heard.delete(pop);
    this.#sampler.want(OWNER, wanted);
  }

  #isAskedOtherwise(pop: PopCluster, deleted: boolean): boolean {
    const { name } = pop.metadata;
    if (deleted) return this.#asked.delete(name);
    const [probe] = this.#probeOf(pop);
    if (this.#asked.has(name) && this.#asked.get(name) === probe?.key) return false;
    this.#asked.set(name, probe?.key);
    return true;
  }

  /** Elapsed milliseconds since it began to ask. */
  get askedMilliseconds(): number {
    return this.#ports.clock.elapsed() - this.#beganAt;
  }

  /** What each PoP said of a site; of PoPs that `names` names also how long ago they last answered at all. */
  readingsOf(site: string, names: Iterable<string>): ReadonlyMap<string, TunnelReading> {
    const now = this.#ports.clock.elapsed();
    const asked = new Set(names);
    const readings = new Map<string, TunnelReading>();
    for (const [pop, { reports, answeredAt }] of this.#heard) {
      const report = reports.get(site);
      if (report === undefined && !asked.has(pop)) continue;
      readings.set(pop, {
        ...(report ? { report: { up: report.up, ageMilliseconds: now - report.heardAt } } : {}),
        ...(answeredAt === undefined ? {} : { answeredMilliseconds: now - answeredAt }),
      });
    }
    return readings;
  }

  facts(): readonly TunnelFacts[] {
    const now = this.#ports.clock.elapsed();
    return [...this.#heard].map(([pop, { reports, answeredAt, ignored }]) => {
      const all = [...reports.values()];
      const up = all.filter((report) => !report.expired && report.up).length;
      const unknown = all.filter((report) => report.expired).length;
      const answeredMilliseconds = answeredAt === undefined ? undefined : now - answeredAt;
      return { pop, up, unknown, down: all.length - up - unknown, answeredMilliseconds, ignored };
    });
  }

  #probeOf({ metadata: { name }, spec: { health } }: PopCluster): TunnelProbe[] {
    const source = health.prometheus ?? (this.#ports.defaultPrometheus === undefined ? undefined : { url: this.#ports.defaultPrometheus });
    if (source === undefined) return [];
    const { url } = source;
    const tokenSecret = "tokenSecretRef" in source ? source.tokenSecretRef?.name : undefined;
    const caSecret = "caSecretRef" in source ? source.caSecretRef?.name : undefined;
    const secrets = { ...(tokenSecret === undefined ? {} : { tokenSecret }), ...(caSecret === undefined ? {} : { caSecret }) };
    return [{ key: JSON.stringify([name, url, tokenSecret, caSecret]), intervalMilliseconds: EVERY, pop: name, url, ...secrets }];
  }

  async #ask(probe: TunnelProbe): Promise<TunnelAnswer> {
    const { prober, readSecret } = this.#ports;
    try {
      const question = { ...probe, query: tunnelQuery(probe.pop), timeoutMilliseconds: TIMEOUT };
      const answer = await askPrometheus(question, prober, readSecret, ANSWER_BYTES);
      if (typeof answer === "string") return { ok: false, detail: answer };
      const alone = [...this.#probes.values()].every(({ pop, url }) => pop === probe.pop || url !== probe.url);
      return readTunnels(answer, { pop: probe.pop, alone });
    } catch (error) {
      return { ok: false, detail: error instanceof Error ? error.message : String(error) };
    }
  }

  #fold(key: string): void {
    const probe = this.#probes.get(key);
    const sample = this.#sampler.samples(key).at(-1);
    if (probe === undefined || sample === undefined) return;
    const at = this.#ports.clock.elapsed() - sample.ageMilliseconds;
    const heard = this.#heard.get(probe.pop) ?? { reports: new Map<string, Report>(), answeredAt: undefined, ignored: 0, askedAt: at };
    this.#heard.set(probe.pop, heard);
    if (sample.result.ok) this.#hear(probe.pop, heard, sample.result, at);
    else this.#tellUnanswered(probe, at - (heard.answeredAt ?? heard.askedAt), sample.result.detail);
    this.#sweep(heard);
  }

  #tellUnanswered({ pop: name, url }: TunnelProbe, forMilliseconds: number, detail: string): void {
    const pop = this.#ports.pops.list().find(({ metadata }) => metadata.name === name);
    if (pop === undefined || forMilliseconds < UNANSWERED_FOR) return;
    const message =
      `${url} was asked which tunnels are up, and has not told for ten minutes; lately: ${detail}. What was heard last counts for an hour, ` +
      "then the tunnels are Unknown and go on keeping partners apart.";
    this.#ports.onUnanswered(pop, { type: "Warning", reason: "TunnelsUnanswered", action: "AskTunnels", message });
  }

  #hear(pop: string, heard: Heard, answer: Extract<TunnelAnswer, { ok: true }>, at: number): void {
    const { index, onChange } = this.#ports;
    const silentBefore = heard.answeredAt === undefined || at - heard.answeredAt > ANSWERED_LATELY;
    heard.answeredAt = at;
    heard.ignored = answer.ignored;
    for (const [site, up] of answer.sites) {
      const known = heard.reports.get(site);
      if (!index.believes(site) || (known === undefined && this.#toldBy(site) >= 2 * MOST_TUNNELS)) {
        heard.ignored += 1;
        continue;
      }
      heard.reports.set(site, { up, heardAt: at, expired: false });
      if (known === undefined || known.up !== up || known.expired) onChange(site);
    }
    if (silentBefore) for (const site of index.sitesOf(pop)) onChange(site);
  }

  /** Sites that count no more are forgotten; a report whose hour is over is told once. */
  #sweep({ reports }: Heard): void {
    const { clock, index, onChange } = this.#ports;
    const now = clock.elapsed();
    for (const [site, report] of reports) {
      if (!index.believes(site)) reports.delete(site);
      else if (!report.expired && now - report.heardAt > TRUSTED_FOR) {
        report.expired = true;
        onChange(site);
      }
    }
  }

  #toldBy(site: string): number {
    let told = 0;
    for (const { reports } of this.#heard.values()) if (reports.has(site)) told += 1;
    return told;
  }
}
