import { describe, expect, it } from "vitest";
import { accountPolicySpec } from "../../api/account-policy.ts";
import { fleetSpec } from "../../api/fleet.ts";
import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { berlin } from "../../core/socket-site/socket-site.examples.ts";
import { windowNamed } from "../../core/socket/surroundings.ts";
import { observedSite, sitePop, type SiteParts } from "./observe-site.ts";

const meta = (namespace: string, name: string) => ({ namespace, name, uid: `uid-${name}`, resourceVersion: "1", generation: 3 });
const API = "rollward.dev/v1alpha1";

const parts = (given: Partial<SiteParts> = {}): SiteParts => ({
  site: { apiVersion: API, kind: "SocketSite", metadata: meta("acme", "berlin"), spec: berlin().site.spec },
  account: "acme",
  policy: undefined,
  fleet: undefined,
  window: undefined,
  fleetNamespace: "fleet",
  pop: undefined,
  rollouts: [],
  inventory: undefined,
  claimedTwice: new Map(),
  hasNoticeChannel: false,
  tzdata: "2026a",
  watchingSince: 0,
  ...given,
});

const fleet = (spec: object) => ({
  apiVersion: API,
  kind: "Fleet" as const,
  metadata: meta("fleet", "fleet"),
  spec: fleetSpec.parse(spec),
});
const policy = (spec: object) => ({
  apiVersion: API,
  kind: "AccountPolicy" as const,
  metadata: meta("acme", "account"),
  spec: accountPolicySpec.parse(spec),
});

describe("[W10] whose window counts", () => {
  const named = {
    fleet: fleet({ accounts: { defaultSocketWindow: { name: "default" } } }),
    policy: policy({ sockets: { windowRef: { name: "ours" } } }),
  };
  const own = { ...parts().site, spec: { ...parts().site.spec, windowRef: { name: "mine" } } };

  it("the site's, else the account's, both of its own namespace; else the provider's", () => {
    expect(windowNamed(parts({ ...named, site: own }))).toEqual({ from: "Site", name: "mine", namespace: "acme" });
    expect(windowNamed(parts(named))).toEqual({ from: "Account", name: "ours", namespace: "acme" });
    expect(windowNamed(parts({ fleet: named.fleet }))).toEqual({ from: "ProviderDefault", name: "default", namespace: "fleet" });
    expect(windowNamed(parts())).toBeUndefined();
  });

  it("one that leads nowhere is told with its name, and is not passed over for the next", () => {
    expect(observedSite(parts({ ...named, site: own })).window).toEqual({ from: "Site", name: "mine" });
  });
});

it("[W3] without a word of the Fleet every site gets 48 hours; without a policy the standard's order", () => {
  const seen = observedSite(parts({ fleet: fleet({}) }));
  expect(seen.fleet).toEqual({ paused: false, freezes: [], minimumNotice: 48 * 3_600_000 });
  expect(seen.policy).toEqual({ order: "StandbyFirst", haRemediation: "Automatic" });
  expect(observedSite(parts({ fleet: fleet({ accounts: { minimumNotice: "72h" } }) })).fleet?.minimumNotice).toBe(72 * 3_600_000);
  expect(observedSite(parts()).fleet).toBeUndefined();
});

describe("[S11] the PoP of a site", () => {
  const run = (kind: string, state: string) => ({ run: { kind, state } }) as unknown as PopClusterStatus;
  const seen = (status: PopClusterStatus) => sitePop({ metadata: meta("fleet", "fra1"), status });
  const assigned = { rollout: "pop-2-0" } as NonNullable<PopClusterStatus["assigned"]>;

  it.each([
    ["Roll", "Preflight", true],
    ["Roll", "Rolling", true],
    ["Rollback", "RollingBack", true],
    ["Roll", "Baking", false],
    ["Roll", "Passed", false],
    ["Join", "Rolling", false],
  ])("%s %s: rolling is %s", (kind, state, rolling) => {
    expect(seen(run(kind, state)).rolling !== undefined).toBe(rolling);
  });

  it("says by which rollout, and when by plan it begins", () => {
    expect(seen({ ...run("Roll", "Rolling"), assigned })).toEqual({ name: "fra1", rolling: { rollout: "pop-2-0" } });
    const plan = { revision: "r", rule: "r", announcedAt: "2026-11-20T00:00:00Z", start: "2026-11-29T00:00:00Z" };
    expect(seen({ plan, assigned })).toEqual({ name: "fra1", planned: { from: Date.parse(plan.start), rollout: "pop-2-0" } });
    expect(seen({})).toEqual({ name: "fra1" });
  });
});
