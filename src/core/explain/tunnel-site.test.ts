import { expect, it } from "vitest";
import type { TunnelSite, TunnelSiteStatus } from "../../api/tunnel-site.ts";
import { explainTunnelSite } from "./tunnel-site.ts";

const site = (status?: TunnelSiteStatus): TunnelSite => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "TunnelSite",
  metadata: { namespace: "acme", name: "berlin", uid: "u", resourceVersion: "1", generation: 1 },
  spec: { type: "IPsec", primaryPoP: "ber1", secondaryPoP: "fra1" },
  ...(status ? { status } : {}),
});

it("says what PoPs report, what is missing for it to be resilient, and what it will feel when", () => {
  const { summary, sections } = explainTunnelSite(
    site({
      observedGeneration: 1,
      resilience: "SinglePoP",
      tunnels: [{ pop: "ber1", up: "True", seenAt: "2026-11-20T00:00:00Z" }],
      upcoming: [
        {
          pop: "ber1",
          start: "2026-11-29T00:00:00Z",
          end: "2026-11-29T04:00:00Z",
          localStart: "2026-11-29T01:00+01:00[Europe/Berlin]",
          impact: "Minutes",
          version: "2.0.0",
        },
      ],
      conditions: [
        {
          type: "Resilient",
          status: "False",
          reason: "SecondTunnelUnseen",
          message: "see that it is up",
          lastTransitionTime: "2026-11-20T00:00:00Z",
        },
      ],
    }),
  );
  expect(summary).toBe("TunnelSite acme/berlin is SinglePoP (SecondTunnelUnseen)");
  expect(sections.map(({ title, lines }) => [title, ...lines])).toEqual([
    ["Attention", "Resilient is False (SecondTunnelUnseen): see that it is up"],
    ["Claimed", "ber1 and fra1: a claim limits nothing, only what PoPs report does."],
    ["Reported", "ber1 says that a tunnel is up, since 2026-11-20T00:00:00Z"],
    [
      "Upcoming",
      "ber1 goes to 2.0.0 2026-11-29T01:00+01:00[Europe/Berlin] (2026-11-29T00:00:00Z to 2026-11-29T04:00:00Z): minutes without a tunnel",
    ],
  ]);
});

it("a site that no operator has looked at says so", () => {
  expect(explainTunnelSite(site()).summary).toBe("TunnelSite acme/berlin has no status yet: no operator has looked at it");
});
