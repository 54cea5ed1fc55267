import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { ACCOUNT_LABEL } from "../../../src/api/names.ts";
import { TUNNEL_SITE } from "../../../src/api/resources.ts";
import type { TunnelReport, TunnelSite, TunnelSiteStatus } from "../../../src/api/tunnel-site.ts";
import { NAMESPACE } from "../../../src/control/kinds.ts";
import type { Draft } from "../../../src/control/ports.ts";
import { type Prometheus, startPrometheus } from "../../../tools/prometheus/run.ts";
import { eventually } from "../rolls/pops.ts";
import type { RealWorld } from "../rolls/real-world.ts";

/** The account that all sites of a test belong to. */
const ACCOUNT = "acme";

type Told = Pick<TunnelReport, "pop" | "up">;

/** What data planes export about their tunnels, and about their lines, scraped once a second by a real Prometheus. */
export class TunnelReports {
  readonly prometheus: Prometheus;
  readonly #exporter: Server;
  readonly #tunnels: { readonly site: string; readonly pop: string }[] = [];
  /** PoPs whose `line_bad` reads 1. */
  readonly #bad = new Map<string, boolean>();

  private constructor(exporter: Server, prometheus: Prometheus) {
    this.#exporter = exporter;
    this.prometheus = prometheus;
  }

  static async start(): Promise<TunnelReports> {
    let page = (): string => "";
    const exporter = createServer((_, response) => response.end(page())).listen(0, "127.0.0.1");
    await once(exporter, "listening");
    const targets = [`127.0.0.1:${(exporter.address() as AddressInfo).port}`];
    const prometheus = await startPrometheus({
      configuration: {
        global: { scrape_interval: "1s" },
        scrape_configs: [{ job_name: "pops", honor_labels: true, static_configs: [{ targets }] }],
      },
    });
    const reports = new TunnelReports(exporter, prometheus);
    page = () => reports.#page();
    return reports;
  }

  #page(): string {
    const tunnels = this.#tunnels.map(({ site, pop }) => `pop_tunnel_up{site="${site}",tunnel="ipsec-1",pop="${pop}"} 1\n`);
    const lines = [...this.#bad].map(([pop, bad]) => `line_bad{pop="${pop}"} ${bad ? 1 : 0}\n`);
    return [...tunnels, ...lines].join("");
  }

  /** Whether the line of a PoP is bad from the next scrape on. */
  line(pop: string, state: "good" | "bad"): void {
    this.#bad.set(pop, state === "bad");
  }

  /** Sites of an account with tunnels to two PoPs each, reported by both before any operator runs: one asks only once a minute. */
  async dualSites(world: RealWorld, pairs: readonly (readonly [string, string])[]): Promise<void> {
    await world.apply(NAMESPACE, { metadata: { name: ACCOUNT, labels: { [ACCOUNT_LABEL]: ACCOUNT } } });
    for (const [primaryPoP, secondaryPoP] of pairs) {
      const name = siteOf([primaryPoP, secondaryPoP]);
      const spec = { type: "IPsec", primaryPoP, secondaryPoP };
      const draft = { apiVersion: TUNNEL_SITE.apiVersion, kind: "TunnelSite", metadata: { namespace: ACCOUNT, name }, spec };
      await world.apply(TUNNEL_SITE, draft as unknown as Draft<TunnelSite>);
      this.#tunnels.push(...[primaryPoP, secondaryPoP].map((pop) => ({ site: `${ACCOUNT}/${name}`, pop })));
    }
    await eventually(
      () => this.prometheus.query("pop_tunnel_up"),
      (found) => expect(found).toHaveLength(2 * pairs.length),
    );
  }

  /** Until the operator knows of all of them what was reported: only then they limit the fleet (rule F2). */
  async untilKnown(world: RealWorld, pairs: readonly (readonly [string, string])[]): Promise<void> {
    const known = async () => {
      const sites = await world.cluster.list<TunnelSite>(TUNNEL_SITE, { namespace: ACCOUNT });
      return sites.map(({ metadata, status }) => sentence(metadata.name, status)).toSorted();
    };
    const wanted = pairs
      .map((pair) => sentence(siteOf(pair), { resilience: "DualPoP", tunnels: pair.toSorted().map((pop) => ({ pop, up: "True" })) }))
      .toSorted();
    await eventually(known, (found) => expect(found).toEqual(wanted), 90_000);
  }

  async stop(): Promise<void> {
    this.#exporter.close();
    await this.prometheus.stop();
  }
}

const siteOf = (pair: readonly [string, string]): string => pair.join("-");

/** A site as its status tells it: `ber-fra DualPoP ber True fra True`. */
const sentence = (
  site: string,
  status: Pick<TunnelSiteStatus, "resilience"> & { readonly tunnels?: readonly Told[] | undefined } = {},
): string => [site, status.resilience, ...(status.tunnels ?? []).map(({ pop, up }) => `${pop} ${up}`)].join(" ");
