import { z } from "zod";
import { ATOMIC_LIST, mapList } from "./cel.ts";
import { condition, hold, instant, longText, objectName, occurrence } from "./common.ts";

const versionText = () => z.string().min(1).max(64);
const serialText = () => z.string().min(1).max(64);
/** The product name of a device, as rollouts name the ones they are for. */
export const modelName = () => z.string().min(1).max(63);

/** What a high-availability pair is looked at for (rule S6), in the order in which people read it. */
const HA_CHECKS = ["Keepalive", "Connectivity", "SameModel", "CompatibleVersion"] as const;

/** The states of a command row (rule S1); which may follow which: `core/socket/command.ts`. */
export const COMMAND_STATES = ["Open", "Given", "Proceeding", "Withdrawn", "Succeeded", "Failed", "Unknown"] as const;

const attempt = z.object({
  command: z.string().max(192).describe("The command that it was."),
  version: versionText(),
  endedAt: instant(),
  outcome: z.enum(["Confirmed", "Failed", "Withdrawn", "Unknown"]),
  reason: z.string().max(64).optional().describe("InstallFailed, VersionNotReported, and so on."),
  message: z.string().max(256).optional().describe("What the device said, stripped and cut."),
});

/** One Socket as it reports itself. No heartbeat: what changes with every poll stands in the inventory. */
const siteSocket = z.object({
  serial: serialText(),
  role: z.enum(["Primary", "Secondary"]),
  state: z.enum(["Active", "Standby", "Unknown"]).describe("Which one carries the traffic, as both report it; disagreement is Unknown."),
  model: modelName().optional(),
  version: versionText().optional().describe("What it says it runs."),
  versionSeenAt: instant().optional().describe("When it first said so."),
  connected: z.boolean(),
  unstable: z.boolean().optional().describe("It lost its connection more than three times in 24 hours."),
  lastAttempt: attempt.optional(),
});

const socketAtVersion = z.object({ serial: serialText(), version: versionText() });

const haStory = z.object({
  id: z.string().max(64).describe("Stable as long as it is the same story."),
  title: z.string().max(128),
  openedAt: instant(),
  severity: z.enum(["AtRisk", "Degraded"]).describe("Degraded: the Socket with the lower version carries the traffic."),
  lower: socketAtVersion,
  higher: socketAtVersion,
  missingMajors: z.array(z.int()).max(64).meta(ATOMIC_LIST).describe("Majors whose features do not work behind the lower Socket."),
  features: z.array(z.string().max(63)).max(32).meta(ATOMIC_LIST).optional().describe("Features that need one of these."),
  steps: z.array(longText()).max(8).meta(ATOMIC_LIST).describe("What to do, in order."),
  remedy: z
    .object({
      action: z.enum(["Upgrade", "AwaitFixedVersion"]),
      serial: serialText(),
      version: versionText().optional(),
      at: instant().optional().describe("The planned start; absent: on request only."),
    })
    .optional(),
  resolvedAt: instant().optional(),
});

const ha = z.object({
  status: z.enum(["NotReady", "Ready", "Unknown", "Upgrading"]),
  checks: z
    .array(
      z.object({
        name: z.enum(HA_CHECKS),
        status: z.enum(["NotReady", "Ready", "Unknown", "Upgrading"]),
        reason: z.string().max(64).optional(),
        message: longText().optional(),
      }),
    )
    .max(HA_CHECKS.length)
    .meta(mapList("name")),
  story: haStory.optional().describe("The open one."),
  history: z.array(haStory).max(5).meta(ATOMIC_LIST).optional().describe("Those that are resolved, the newest first."),
});

/** What the operator claimed of one Socket before it wrote the row (rule S1). */
const claimedCommand = z.object({
  id: z.string().max(192).describe("Site UID, generation, serial and attempt."),
  serial: serialText(),
  version: versionText(),
  notBefore: instant(),
  notAfter: instant(),
  claimedAt: instant(),
  inserted: z.boolean().optional().describe("The row was seen. Named here and not in the inventory then: lost, and awaited as Given."),
  late: z
    .boolean()
    .optional()
    .describe(
      "Its row was inserted later than five seconds after the claim. One before it may have been given and lost, so taken back it counts as given.",
    ),
  state: z.enum(COMMAND_STATES).describe("As last seen."),
});

/** The four instants of an announcement (rule W3), and which of them decides. */
const announced = z.object({
  release: instant().describe("As the rollout says."),
  seen: instant().describe("When the operator first saw the rollout."),
  rampOpened: instant().optional().describe("When the ramp reached the site."),
  noticeAcceptedAt: instant().optional().describe("When the first configured channel took the notice."),
  decidedBy: z.enum(["release", "seen", "rampOpened", "noticeAcceptedAt"]),
});

const upgrade = z.object({
  version: versionText(),
  rollout: z.object({ name: objectName(), uid: z.string().max(64) }),
  cause: z.enum(["Rollout", "Remedy", "Request"]).describe("Why: its rollout, the story of a mixed pair (S7), or a person (S4)."),
  step: z.enum(["Announced", "Scheduled", "InProgress", "Verifying", "Completed", "Skipped", "Failed"]),
  since: instant(),
  announced: announced.optional().describe("Absent for a person's request: nobody waits for a notice."),
  notice: z
    .object({ id: z.string().max(64), start: instant(), acceptedAt: instant().optional() })
    .optional()
    .describe("The notice for the planned start; sent until it is accepted, anew when the start moves."),
  planned: z
    .object({
      start: instant().optional().describe("Start of the window; absent: no usable one is known."),
      announcedAt: instant(),
      rule: z.string().max(64).describe("Digest of all that the start comes from."),
    })
    .optional()
    .describe("The plan in force (rule W7)."),
  change: z
    .object({ rule: z.string().max(64), since: instant() })
    .optional()
    .describe("A change of the plan that has not rested an hour."),
  window: z.object({ start: instant(), end: instant() }).optional().describe("The occurrence that was chosen."),
  start: instant().optional().describe("The site's own start in it (rule W11)."),
  localStart: z.string().max(64).optional().describe("The same on the site's clock."),
  lastStart: instant().optional(),
  order: z.array(serialText()).max(2).meta(ATOMIC_LIST).optional().describe("Which Socket goes first, frozen when the first one starts."),
  done: z.array(serialText()).max(2).meta(ATOMIC_LIST).optional().describe("Sockets that are confirmed on the version."),
  command: claimedCommand.optional().describe("The command in hand."),
  connectedSince: instant().optional().describe("Since when the Socket runs the version without a gap (S12)."),
  reason: z.string().max(64).optional().describe("Why it was skipped, or what failed."),
  message: longText().optional(),
});

export const socketSiteStatus = z.object({
  observedGeneration: z.int().optional(),
  pop: objectName().optional().describe("The PoP that it is connected to, as its active Socket reports."),
  windowFrom: z.enum(["Site", "Account", "ProviderDefault"]).optional().describe("Whose window counts."),
  lowestVersion: versionText().optional().describe("What the site runs; of a pair the older version."),
  sockets: z.array(siteSocket).max(2).meta(mapList("serial")).optional(),
  ha: ha.optional().describe("Of a pair."),
  upgrade: upgrade.optional().describe("The ledger of the upgrade in hand, or of the last one."),
  attempts: z.int().min(0).optional().describe("Grows with each command that was claimed, so that no id comes twice."),
  verdicts: z
    .array(
      z.object({
        serial: serialText(),
        revision: z.string().max(64).describe("Version and digest of the artifact."),
        failedWindows: z.int().min(1),
        failed: z.boolean().describe("The verdict: it is not tried again here unless a person names it (G8)."),
        at: instant(),
        reason: z.string().max(64),
      }),
    )
    .max(16)
    .meta(mapList("serial", "revision"))
    .optional(),
  putOff: z
    .object({ rollout: objectName().describe("The PoPRollout."), at: instant() })
    .optional()
    .describe("It gave its window to a roll of its PoP; the same rollout does not put it off twice (S11)."),
  next: z.array(occurrence).max(2).meta(ATOMIC_LIST).optional().describe("Only while something is planned or a story is open."),
  weeksBehind: z.int().min(0).optional(),
  holds: z.array(hold).max(16).meta(ATOMIC_LIST).optional().describe("What holds it, in order; the first is the reason shown."),
  handled: z.object({ upgradeNow: instant().optional() }).optional().describe("Requests that were carried out or refused."),
  conditions: z.array(condition).max(8).meta(mapList("type")).optional(),
});
export type SocketSiteStatus = z.infer<typeof socketSiteStatus>;
