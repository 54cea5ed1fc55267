import { z } from "zod";
import { mapList, rules } from "./cel.ts";
import { condition, instant, occurrence, shortText, type ObjectMeta } from "./common.ts";
import { acceptedColumn, AGE_COLUMN, defineResource } from "./define-resource.ts";

const popName = () => z.string().min(1).max(40);
const writtenPopName = () =>
  popName().meta(
    rules({
      rule: "self.size() <= 40 && self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
      message: "a tunnel ends in one PoP: write its name as the provider gives it, for example fra1",
    }),
  );

export const tunnelSiteSpec = z
  .object({
    type: z.enum(["IPsec", "CloudInterconnect"]).describe("How the site is connected."),
    displayName: shortText().optional().describe("How people call the site."),
    primaryPoP: writtenPopName().describe("The PoP of the first tunnel. A name is a claim; what PoPs report is what counts."),
    secondaryPoP: writtenPopName()
      .optional()
      .describe("The PoP of the second tunnel, another one than the first. Left out: maintenance of the first is felt for minutes."),
  })
  .meta(
    rules({
      rule: "!has(self.secondaryPoP) || self.secondaryPoP != self.primaryPoP",
      message: "both tunnels end in one PoP, so its maintenance takes both: write another PoP as secondaryPoP, or leave it out",
      fieldPath: ".secondaryPoP",
    }),
  );
export type TunnelSiteSpec = z.infer<typeof tunnelSiteSpec>;

/** One tunnel as its PoP reports it (rule F2). Unknown: the PoP has not answered for an hour; it still limits the fleet. */
export const tunnelReport = z.object({
  pop: popName(),
  up: z.enum(["True", "False", "Unknown"]).describe("Unknown: the PoP has not answered for an hour."),
  seenAt: instant().describe("Since when it is reported so."),
});
export type TunnelReport = z.infer<typeof tunnelReport>;

export const tunnelSiteStatus = z.object({
  observedGeneration: z.int().optional(),
  tunnels: z.array(tunnelReport).max(8).meta(mapList("pop")).optional().describe("What PoPs reported of this site; empty: NotObserved."),
  resilience: z.enum(["DualPoP", "SinglePoP"]).optional().describe("Whether tunnels to two PoPs are seen."),
  upcoming: z
    .array(occurrence.extend({ pop: popName(), impact: z.enum(["Seconds", "Minutes"]), version: z.string().max(64).optional() }))
    .max(10)
    .optional()
    .describe("Windows of its PoPs in which something is planned, and what the site will feel."),
  conditions: z.array(condition).max(8).meta(mapList("type")).optional(),
});
export type TunnelSiteStatus = z.infer<typeof tunnelSiteStatus>;

export interface TunnelSite {
  readonly apiVersion: string;
  readonly kind: "TunnelSite";
  readonly metadata: ObjectMeta;
  readonly spec: TunnelSiteSpec;
  readonly status?: TunnelSiteStatus;
}

export const TUNNEL_SITE = defineResource<TunnelSite>({
  kind: "TunnelSite",
  plural: "tunnelsites",
  shortNames: ["tun"],
  description: "A customer's site on IPsec or a cloud interconnect: its PoPs as the account claims them and as the PoPs report them.",
  spec: tunnelSiteSpec,
  status: tunnelSiteStatus,
  columns: [
    { name: "Primary", jsonPath: ".spec.primaryPoP" },
    { name: "Secondary", jsonPath: ".spec.secondaryPoP" },
    { name: "Resilience", jsonPath: ".status.resilience" },
    { name: "Next Impact", jsonPath: ".status.upcoming[0].localStart", description: "When maintenance of one of its PoPs is felt next." },
    { name: "Impact", jsonPath: ".status.upcoming[0].impact", description: "Whether it is felt for seconds or for minutes." },
    acceptedColumn(),
    AGE_COLUMN,
  ],
  selectableFields: [".spec.primaryPoP", ".spec.secondaryPoP"],
});
