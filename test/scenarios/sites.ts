import { expect } from "vitest";
import { ACCOUNT_LABEL } from "../../src/api/names.ts";
import { TUNNEL_SITE } from "../../src/api/resources.ts";
import type { TunnelSite, TunnelSiteStatus } from "../../src/api/tunnel-site.ts";
import { NAMESPACE, NODE } from "../../src/control/kinds.ts";
import type { Draft } from "../../src/control/ports.ts";
import { MINUTE, type Story } from "./story.ts";

/** PoPs whose tunnels are asked for at the simulated Prometheus; for `StoryOptions.pop`. */
export const TELLING = { health: { prometheus: { url: "http://prometheus.simulation:9090" } } };

/** The sites of accounts, in the words of a scenario. A site is named `<namespace>/<name>`; its namespace is its account. */
export class Sites {
  readonly #story: Story;

  constructor(story: Story) {
    this.#story = story;
  }

  async account(name: string): Promise<void> {
    const { world } = this.#story;
    if (world.store.get(NAMESPACE, name)) return;
    const metadata = { name, labels: { [ACCOUNT_LABEL]: name } };
    await world.apply(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata });
  }

  /** What an account writes: its tunnels as it believes them to be. */
  async claim(site: string, primaryPoP: string, secondaryPoP?: string): Promise<void> {
    const [namespace, name] = site.split("/") as [string, string];
    await this.account(namespace);
    const spec = { type: "IPsec", primaryPoP, ...(secondaryPoP === undefined ? {} : { secondaryPoP }) };
    const draft = { apiVersion: TUNNEL_SITE.apiVersion, kind: "TunnelSite", metadata: { namespace, name }, spec };
    await this.#story.world.apply(TUNNEL_SITE, draft as unknown as Draft<TunnelSite>);
  }

  async write(site: string, change: Partial<TunnelSite["spec"]>): Promise<void> {
    const [namespace, name] = site.split("/") as [string, string];
    await this.#story.change<TunnelSite>(TUNNEL_SITE, name, (found) => ({ ...found, spec: { ...found.spec, ...change } }), namespace);
  }

  /** What the data planes of PoPs export from now on. */
  report(site: string, ...pops: string[]): void {
    for (const pop of pops) this.#of(pop).set(site, true);
  }

  down(site: string, pop: string): void {
    this.#of(pop).set(site, false);
  }

  /** Data planes that no longer know of the site. */
  unknown(site: string, pop: string): void {
    this.#of(pop).delete(site);
  }

  #of(pop: string): Map<string, boolean> {
    const { tunnels } = this.#story.world.prometheus;
    const sites = tunnels.get(pop) ?? new Map<string, boolean>();
    tunnels.set(pop, sites);
    return sites;
  }

  status(site: string): TunnelSiteStatus {
    const [namespace, name] = site.split("/") as [string, string];
    return this.#story.read<TunnelSite>(TUNNEL_SITE, name, namespace)?.status ?? {};
  }

  /** Its tunnels as `fra1 True`. */
  tunnels(site: string): string[] {
    return (this.status(site).tunnels ?? []).map(({ pop, up }) => `${pop} ${up}`);
  }

  /** The condition as `False SecondTunnelUnseen`. */
  condition(site: string, type: string): string {
    const found = this.status(site).conditions?.find((condition) => condition.type === type);
    return `${found?.status} ${found?.reason}`;
  }

  /** A site that is reported by both, and known to be: what limits the fleet from then on. */
  async dual(site: string, one: string, other: string): Promise<void> {
    await this.claim(site, one, other);
    this.report(site, one, other);
    await this.#story.untilTrue(`${site} to be dual`, () => this.status(site).resilience === "DualPoP", 3 * MINUTE);
  }

  /** Fails as soon as a node of each of both bears a claim or our taint, judged after every write of a node (I2). */
  neverBothOut(one: string, other: string): { readonly seen: () => void } {
    const both: string[] = [];
    const { store } = this.#story.world;
    store.subscribe(({ kind }) => {
      if (kind.kind !== NODE.kind) return;
      const [first, second] = [this.#story.claimed(one), this.#story.claimed(other)];
      if (first.length > 0 && second.length > 0) both.push(`${first.join(", ")} and ${second.join(", ")}`);
    });
    return { seen: () => expect(both, "both PoPs of a site out").toEqual([]) };
  }
}
