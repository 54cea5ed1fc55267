import { z } from "zod";
import { ATOMIC_LIST, mapList, rules } from "./cel.ts";
import { accountClientsList, clientPolicies } from "./client-policy.ts";
import { condition, longText, objectName, occurrence, type ObjectMeta, reference } from "./common.ts";
import { acceptedColumn, AGE_COLUMN, defineResource } from "./define-resource.ts";

const channel = z.object({
  name: z.string().min(1).max(63).describe("Names the channel in messages."),
  url: z
    .string()
    .min(1)
    .max(1024)
    .meta(
      rules({
        rule: "self.matches('^https://[^ /@]+(/[^ ]*)?$')",
        message: "notices go over https, without a user name in the address: write for example https://hooks.acme.example/rollward",
      }),
    )
    .describe("Where CloudEvents are sent; the provider decides which hosts are allowed."),
});

const DEFAULT_SOCKETS = { order: "StandbyFirst", haRemediation: "Automatic" } as const;

export const accountPolicySpec = z.object({
  clients: clientPolicies.optional().describe("How the account's Clients are upgraded, by system; one that is not named is Managed."),
  sockets: z
    .object({
      windowRef: reference().optional().describe("The MaintenanceWindow of sites that name none; left out: the provider's default."),
      order: z
        .enum(["StandbyFirst", "PrimaryFirst"])
        .default(DEFAULT_SOCKETS.order)
        .describe("Which Socket of a pair goes first. StandbyFirst: one failover; PrimaryFirst: two."),
      haRemediation: z
        .enum(["Automatic", "Manual"])
        .default(DEFAULT_SOCKETS.haRemediation)
        .describe("What becomes of a pair on two majors: mended in its next window, or only when a person asks."),
    })
    .default(DEFAULT_SOCKETS)
    .describe("How the account's Sockets are upgraded."),
  notices: z
    .object({
      channels: z
        .array(channel)
        .min(1)
        .max(4)
        .meta(mapList("name"))
        .describe("Where notices go. A notice counts from when the first one took it (W3); the others get a copy."),
    })
    .optional()
    .describe("Left out: notices stand in status and calendar alone, and count from there."),
});
export type AccountPolicySpec = z.infer<typeof accountPolicySpec>;

/** The whole of what an account sees of itself: it reads no other namespace (rule I15). */
export const accountPolicyStatus = z.object({
  observedGeneration: z.int().optional(),
  account: z.string().max(63).optional().describe("The account that the namespace is labelled with."),
  sockets: z
    .object({
      sites: z.int(),
      pairs: z.int(),
      upToDate: z.int(),
      planned: z.int(),
      haNotReady: z.int(),
      notConnected: z.int(),
      versions: z
        .array(z.object({ version: z.string().max(64), sockets: z.int() }))
        .max(32)
        .meta(mapList("version")),
    })
    .optional()
    .describe("Its sites, counted."),
  clients: accountClientsList(),
  pops: z
    .array(
      z.object({
        name: objectName(),
        sites: z.int(),
        next: z.array(occurrence).max(2).meta(ATOMIC_LIST).optional(),
        impact: z.enum(["Seconds", "Minutes"]).optional(),
      }),
    )
    .max(64)
    .meta(mapList("name"))
    .optional()
    .describe("PoPs that its sites are connected to, and when they are maintained."),
  advice: z
    .array(
      z.object({
        kind: z.enum(["HAPair", "SecondTunnel", "PilotGroup", "Automatic"]),
        sites: z.int().optional().describe("Sites that it is about; with HAPair and SecondTunnel."),
        devices: z.int().optional().describe("Clients that it is about; with PilotGroup and Automatic."),
        message: longText(),
      }),
    )
    .max(8)
    .meta(mapList("kind"))
    .optional()
    .describe("What would make maintenance less felt."),
  conditions: z.array(condition).max(8).meta(mapList("type")).optional(),
});
export type AccountPolicyStatus = z.infer<typeof accountPolicyStatus>;

export interface AccountPolicy {
  readonly apiVersion: string;
  readonly kind: "AccountPolicy";
  readonly metadata: ObjectMeta;
  readonly spec: AccountPolicySpec;
  readonly status?: AccountPolicyStatus;
}

export const ACCOUNT_POLICY = defineResource<AccountPolicy>({
  kind: "AccountPolicy",
  plural: "accountpolicies",
  shortNames: ["acct"],
  description:
    "What a customer's account decides for its sites and Clients, and all that it has to know of them. There is one, named account.",
  spec: accountPolicySpec,
  status: accountPolicyStatus,
  rules: [{ rule: "self.metadata.name == 'account'", message: "an account has one AccountPolicy: write metadata.name: account" }],
  columns: [
    { name: "Sites", type: "integer", jsonPath: ".status.sockets.sites" },
    { name: "Up To Date", type: "integer", jsonPath: ".status.sockets.upToDate" },
    { name: "HA Not Ready", type: "integer", jsonPath: ".status.sockets.haNotReady" },
    { name: "Not Connected", type: "integer", jsonPath: ".status.sockets.notConnected" },
    { name: "Follows", jsonPath: '.status.conditions[?(@.type=="FollowsRecommendations")].status' },
    acceptedColumn(),
    AGE_COLUMN,
  ],
});
