import { z } from "zod";
import { artifactAddress, artifactSize, sha256 } from "./artifact.ts";
import { ATOMIC_LIST, fixed, indexes, mapList, rules } from "./cel.ts";
import { clientRolloutStatus, type ClientRolloutStatus, MOST_PHASES } from "./client-rollout-status.ts";
import { duration, labelSelector, longText, type ObjectMeta, reference, writtenInstant } from "./common.ts";
import { AGE_COLUMN, defineResource } from "./define-resource.ts";
import { prometheusFigure } from "./evidence.ts";
import { writtenVersion } from "./socket-site.ts";

export type { ClientNumbers, ClientRolloutStatus, Inherited, ReachedLedger, StageRecord } from "./client-rollout-status.ts";
export { clientRolloutStatus } from "./client-rollout-status.ts";

/** The systems that Clients run on; another one is added here first. */
export const CLIENT_SYSTEMS = ["Windows", "macOS", "Linux"] as const;
export type ClientSystem = (typeof CLIENT_SYSTEMS)[number];

const index = indexes(MOST_PHASES);
const percent = () => z.int().min(1).max(100);

const GATE = { attemptedAtLeast: 200, failedPercentAtMost: 1, patience: "168h" } as const;
const gate = z.object({
  attemptedAtLeast: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(GATE.attemptedAtLeast)
    .describe("With fewer devices attempted nothing is concluded before patience is over."),
  failedPercentAtMost: z
    .int()
    .min(0)
    .max(100)
    .default(GATE.failedPercentAtMost)
    .describe("More than this share of the attempted ones failed: nothing follows."),
  patience: duration({ atLeast: "1h", atMost: "2016h" })
    .default(GATE.patience)
    .describe(
      "Counted from when the stage opened. Then those that attempted are judged, if they are 80 % of those that can be reached; else a person decides.",
    ),
});
export type ClientGate = z.infer<typeof gate>;
export const defaultGate: ClientGate = GATE;

const phase = z.object({
  accountsPercent: percent().describe("Share of the accounts that it has reached, those of earlier phases included."),
  usersPercent: percent().describe("Share of the users in these accounts, those of earlier phases included."),
  for: duration({ atLeast: "1h", atMost: "2016h" }).default("168h").describe("How long it lasts before the next one may open."),
  gate: gate.default(GATE).describe("The evidence that the next phase needs, of the devices that this one reached first (C4)."),
});

const PILOT = { minimumDevices: 50, minimumDays: 14, failedPercentAtMost: 1, patience: "504h" } as const;
const pilot = z.object({
  accounts: labelSelector().optional().describe("Namespaces of the provider's own accounts: all their users are pilots."),
  minimumDevices: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(PILOT.minimumDevices)
    .describe("With fewer pilots attempted nothing is concluded before patience is over."),
  minimumDays: z.int().min(0).max(84).default(PILOT.minimumDays).describe("How long the pilots run it at least."),
  failedPercentAtMost: z
    .int()
    .min(0)
    .max(100)
    .default(PILOT.failedPercentAtMost)
    .describe("Of all pilots together; and of an account's own pilots, which hold that account alone."),
  patience: duration({ atLeast: "1h", atMost: "2016h" })
    .default(PILOT.patience)
    .describe("As in a gate, counted from when the pilots got it."),
});

const floor = z.object({
  version: writtenVersion().describe("Devices older than this have to go to it, or to a newer one, first."),
  reason: longText().min(1).optional().describe("Why; told to whoever waits because of it."),
});

const HEALTH = { failedPercentAtMost: 2 } as const;

export const clientRolloutSpec = z
  .object({
    os: z.enum(CLIENT_SYSTEMS).describe("The system that it is for."),
    version: writtenVersion().describe("The version for the Clients."),
    announcedAt: writtenInstant().describe("When it was announced. Pilots get it from then on, nobody before."),
    releaseNotes: z.string().max(512).optional().describe("Where people read what is new."),
    generalAfter: duration({ atLeast: "336h", atMost: "672h" })
      .optional()
      .describe("The general rollout begins so long after the announcement at the earliest: 2 to 4 weeks. Absent with supersedes."),
    pilot: pilot.default(PILOT).describe("The evidence of all pilots together that the first phase needs (C2)."),
    phases: z
      .array(phase)
      .min(1)
      .max(MOST_PHASES)
      .meta({
        ...ATOMIC_LIST,
        ...rules(
          {
            rule:
              `${index}.all(i, i == 0 || i >= self.size() || self[i].accountsPercent >= self[i - 1].accountsPercent && ` +
              "self[i].usersPercent >= self[i - 1].usersPercent && (self[i].accountsPercent > self[i - 1].accountsPercent || " +
              "self[i].usersPercent > self[i - 1].usersPercent))",
            message:
              "each phase reaches those of the ones before and more: write percents that do not shrink and of which one grows, for example 5 and 20, then 25 and 50, then 100 and 100",
          },
          {
            rule: "self[self.size() - 1].accountsPercent == 100 && self[self.size() - 1].usersPercent == 100",
            message: "the last phase reaches everybody: write accountsPercent: 100 and usersPercent: 100 in it; to stop before it, pause",
          },
        ),
      })
      .default([
        { accountsPercent: 5, usersPercent: 20, for: "72h", gate: GATE },
        { accountsPercent: 25, usersPercent: 50, for: "120h", gate: GATE },
        { accountsPercent: 100, usersPercent: 100, for: "168h", gate: GATE },
      ])
      .describe("Shares of accounts and of their users, one after the other; who they are, a hash decides, another one for each version."),
    supersedes: reference()
      .optional()
      .describe("The faulty rollout that this one mends: its devices come first, then the phase that it had reached (C6)."),
    exposedGate: gate.optional().describe("The evidence of the devices on the faulty version; left out: that of a phase."),
    floors: z.array(floor).min(1).max(16).meta(mapList("version")).optional().describe("Versions that may not be jumped over (C8)."),
    endOfSupport: writtenInstant().optional().describe("When this version is no longer supported; shown as weeks left."),
    health: z
      .object({
        failedPercentAtMost: z
          .int()
          .min(1)
          .max(99)
          .default(HEALTH.failedPercentAtMost)
          .describe("It pauses by itself when the failures of all stages together cannot be explained by so small a share any more."),
        prometheus: prometheusFigure().optional().describe("It pauses by itself when this figure fails; no value promotes nothing."),
      })
      .default(HEALTH)
      .describe("What pauses it without a person."),
    artifact: z
      .object({ url: artifactAddress("Clients", "client-5.12.4.msi"), sha256: sha256("sha256"), size: artifactSize() })
      .describe("What Clients fetch and install."),
    requested: z
      .enum(["Run", "Paused", "Stopped"])
      .default("Run")
      .describe("The provider's word. Paused: nothing new is offered; Stopped: for ever. Installations in hand finish."),
    reason: longText().min(1).optional().describe("Why it is paused or stopped; shown to everybody whom it holds."),
    requests: z
      .object({
        resume: z
          .object({ at: writtenInstant().describe("When it was asked; carried out once for each value.") })
          .optional()
          .describe("Lift the automatic pause: what failed until now is judged, and counting begins anew."),
      })
      .optional()
      .describe("A person's word."),
  })
  .meta(
    rules(
      {
        rule: "has(self.generalAfter) != has(self.supersedes)",
        message:
          "write generalAfter, from 336h to 672h, for a version that begins with its pilots, " +
          "or supersedes for one that takes over the phase of the version it mends; one of the two, not both",
        fieldPath: ".generalAfter",
      },
      {
        rule: "!has(self.exposedGate) || has(self.supersedes)",
        message: "exposedGate judges devices on a faulty version: write supersedes beside it, or leave it out",
        fieldPath: ".exposedGate",
      },
      {
        rule: "self.requested == 'Run' || has(self.reason)",
        message: "say why in reason: it is shown to everybody whom it holds",
        fieldPath: ".reason",
      },
      {
        rule: "oldSelf.requested != 'Stopped' || self.requested == 'Stopped'",
        message: "a stopped rollout stays stopped: create a new ClientRollout that supersedes it for the fixed version",
        fieldPath: ".requested",
      },
      {
        rule: "!self.version.matches('^[0.]+$')",
        message: "a version of zeros is what a new installation reports: write one with a number other than 0",
        fieldPath: ".version",
      },
      fixed("os", "a rollout is for one system: create a new ClientRollout for another one"),
      fixed("version", "a rollout is for one version: create a new ClientRollout for another one"),
      fixed("artifact", "verdicts are of exactly this artifact: create a new ClientRollout for another one"),
      fixed("supersedes", "what a rollout mends does not change: create a new ClientRollout"),
    ),
  );
export type ClientRolloutSpec = z.infer<typeof clientRolloutSpec>;

export interface ClientRollout {
  readonly apiVersion: string;
  readonly kind: "ClientRollout";
  readonly metadata: ObjectMeta;
  readonly spec: ClientRolloutSpec;
  readonly status?: ClientRolloutStatus;
}

export const CLIENT_ROLLOUT = defineResource<ClientRollout>({
  kind: "ClientRollout",
  plural: "clientrollouts",
  shortNames: ["cliro"],
  description: "One version of the Clients of one system on its way through the users of all accounts: pilots first, then in phases.",
  spec: clientRolloutSpec,
  status: clientRolloutStatus,
  rules: [
    {
      rule: "!has(self.spec.supersedes) || self.spec.supersedes.name != self.metadata.name",
      message: "a rollout does not mend itself: write the name of the faulty ClientRollout",
      fieldPath: ".spec.supersedes.name",
    },
  ],
  columns: [
    { name: "OS", jsonPath: ".spec.os" },
    { name: "Version", jsonPath: ".spec.version" },
    { name: "State", jsonPath: '.status.conditions[?(@.type=="Progressing")].reason' },
    { name: "Effective", jsonPath: ".status.effective", description: "Run, Paused or Stopped: the strictest of everybody's word." },
    { name: "Stage", jsonPath: ".status.reached.stage" },
    { name: "Phase", type: "integer", jsonPath: ".status.reached.phase" },
    { name: "Accounts", type: "integer", jsonPath: ".status.reached.accountsPercent", description: "Share reached, in percent." },
    { name: "Users", type: "integer", jsonPath: ".status.reached.usersPercent", description: "Share reached, in percent." },
    { name: "Confirmed", type: "integer", jsonPath: ".status.numbers.confirmed" },
    { name: "Failed", type: "integer", jsonPath: ".status.numbers.failed" },
    { name: "Waits For", jsonPath: ".status.holds[0].reason", description: "Why nothing goes on; rollward explain says it in a sentence." },
    { name: "Until", jsonPath: ".status.holds[0].until" },
    { name: "Stands", jsonPath: ".status.forecast.standsAt", description: "When everybody is reached, if nothing fails.", priority: 1 },
    AGE_COLUMN,
  ],
  selectableFields: [".spec.os", ".spec.version"],
});
