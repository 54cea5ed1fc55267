import { z } from "zod";
import { ATOMIC_LIST, mapList, rules, SET_LIST } from "./cel.ts";
import { clientNumbers } from "./client-rollout-status.ts";
import { instant, longText, objectName, writtenInstant } from "./common.ts";
import { writtenVersion } from "./socket-site.ts";

const member = () => z.string().min(1).max(320);

/** What an account decides for its Clients of one system (rules C1, C2, C5). */
export const clientPolicy = z.object({
  upgrade: z
    .enum(["Automatic", "Managed"])
    .describe("Automatic: the provider upgrades them, in phases. Managed: nothing is offered, the account does it."),
  experience: z.enum(["Silent", "Notify"]).default("Silent").describe("Whether a Client tells its user before it upgrades."),
  pilotGroup: z
    .object({
      users: z.array(member()).min(1).max(256).meta(SET_LIST).optional().describe("Users, as Clients name them."),
      groups: z.array(member()).min(1).max(64).meta(SET_LIST).optional().describe("Groups of the imported directory."),
    })
    .meta(rules({ rule: "has(self.users) || has(self.groups)", message: "a pilot group has members: write users, groups or both" }))
    .optional()
    .describe("Who gets a version first, from its announcement on. It holds the account when it fails."),
  pause: z
    .object({
      version: writtenVersion().describe("Nothing of this version is offered here; a newer one is not held by it."),
      reason: longText().min(1).describe("Why; shown to whoever waits because of it."),
      until: writtenInstant().optional().describe("When it ends by itself; left out: when it is taken out."),
    })
    .optional()
    .describe("The account's own pause."),
  overrulePilot: z
    .object({
      version: writtenVersion().describe("The version whose failed pilots do not hold the account."),
      reason: longText().min(1).describe("Why."),
    })
    .optional()
    .describe("Go on although the account's own pilots failed."),
});
export type ClientPolicy = z.infer<typeof clientPolicy>;

/** By system; one that is not named is Managed. */
export const clientPolicies = z.object({
  windows: clientPolicy.optional(),
  macos: clientPolicy.optional(),
  linux: clientPolicy.optional(),
});
export type ClientPolicies = z.infer<typeof clientPolicies>;

/** What an account sees of one version of its Clients. */
const accountClients = z.object({
  rollout: objectName(),
  uid: z.string().max(64).describe("The UID of the rollout: a new one under that name is another one."),
  os: z.string().max(16),
  version: z.string().max(64),
  stage: z.string().max(16).optional().describe("Where the rollout is: exposed, pilot, phase-1 …"),
  inPhase: z.boolean().describe("Whether a phase has reached the account; which of its users, a hash decides."),
  pilot: clientNumbers.optional().describe("The account's own pilots."),
  numbers: clientNumbers.optional().describe("All its devices."),
  effective: z.enum(["Run", "Paused", "Stopped"]).describe("The strictest of provider, account and monitoring."),
  reasons: z.array(longText()).max(8).meta(ATOMIC_LIST).optional(),
  held: z
    .object({ by: z.enum(["Pause", "Pilot"]), since: instant(), generation: z.int() })
    .optional()
    .describe("The account itself holds it, by its pause or its failed pilots: since when, and by which generation of the policy."),
  nextAt: instant().optional().describe("When the next phase opens, if nothing fails."),
  supportWeeksLeft: z.int().optional(),
});

export const accountClientsList = () =>
  z
    .array(accountClients)
    .max(32)
    .meta(mapList("rollout"))
    .optional()
    .describe("Versions of the Clients on their way through this account.");
