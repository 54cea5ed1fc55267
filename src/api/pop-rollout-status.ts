import { z } from "zod";
import { ATOMIC_LIST, mapList } from "./cel.ts";
import { condition, hold, instant, localDate, longText, objectName, userName } from "./common.ts";

const versionText = () => z.string().min(1).max(64);
const uid = () => z.string().max(64);

/** What became of one PoP (rule F1): the first five are open, the others are ends. */
export const ASSIGNMENT_STATES = [
  "Assigned",
  "Rolling",
  "Baking",
  "RollingBack",
  "Passed",
  "Promoted",
  "Skipped",
  "RolledBack",
  "RollbackFailed",
  "Stopped",
] as const;

/** What a PoP is asked to do with its version now. A PoP reads nothing else of a rollout. */
export const ASSIGNMENT_ORDERS = ["Go", "Hold", "Stop", "TakeBack"] as const;

/** The longest sentence of one assignment: a thousand of them are one object, and etcd takes 1.5 MB. */
export const MOST_ASSIGNMENT_TEXT = 512;
const assignmentText = () => z.string().max(MOST_ASSIGNMENT_TEXT);

/** One PoP's share of the rollout: what it should run and when it may start; the PoPCluster reads it, and only it. */
export const assignment = z.object({
  pop: objectName().describe("The PoPCluster."),
  uid: uid().describe("Its UID: a new PoPCluster of that name is another PoP."),
  wave: z.string().max(63),
  version: versionText().describe("The version, or the version of the content."),
  class: z.enum(["Regular", "Emergency"]),
  announcedAt: instant(),
  from: localDate()
    .optional()
    .describe("Local date of the PoP: windows that open on it or later may be used. Absent for content and emergencies."),
  to: localDate().optional().describe("Local date of the PoP: windows that open on it or later may not be used."),
  bake: z.string().max(32).optional(),
  watchUntil: instant().optional().describe("The version is judged at least until then (P8)."),
  approval: objectName().optional().describe("The Approval that let its wave open."),
  liftedFreezes: z.array(objectName()).max(8).optional().describe("Freezes that an Approval lifts for it, by name (F8)."),
  order: z.enum(ASSIGNMENT_ORDERS).describe("What the PoP is asked to do now."),
  orderedAt: instant().optional().describe("For Stop and TakeBack: carried out once for each value."),
  retryAt: instant().optional().describe("Try it again although it failed here; once for each value."),
  retriedBy: objectName().optional().describe("The Approval that lets it be tried again (RetryFailed)."),
  because: assignmentText().optional().describe("Why the order is not Go; shown as the PoP's hold."),
  late: z.boolean().optional().describe("A late joiner, outside the waves."),
  state: z.enum(ASSIGNMENT_STATES).describe("What became of it."),
  since: instant(),
  reason: z.string().max(64).optional().describe("Why it was skipped, or what failed."),
  message: assignmentText().optional(),
});
export type Assignment = z.infer<typeof assignment>;

const waveStatus = z.object({
  name: z.string().max(63),
  state: z.enum(["Pending", "Open", "Passed", "Skipped"]),
  pops: z
    .array(objectName())
    .max(1000)
    .optional()
    .describe("Its PoPs in the order in which they were picked; fixed when the wave opens (G4)."),
  digest: z
    .string()
    .max(80)
    .optional()
    .describe("What an Approval of this wave has to name: of rollout UID, version, class, wave, members and evidence, never of times."),
  approval: z
    .object({ name: objectName(), by: userName(), at: instant(), reason: longText().optional() })
    .optional()
    .describe("The Approval that opened it, who gave it, and why."),
  openedAt: instant().optional(),
  bakesFrom: instant().optional().describe("Content: since when all of them have it, and the wave bakes."),
  endedAt: instant().optional(),
  message: longText().optional(),
});
export type WaveStatus = z.infer<typeof waveStatus>;

const stageStatus = z.object({
  name: z.string().max(63),
  state: z.enum(["Waiting", "Passed", "Failed", "Waived"]).describe("Waived: an Approval let the rollout go on without it."),
  since: instant(),
  evidence: longText().describe("What was asked and found."),
  digest: z.string().max(80).optional().describe("What an Approval that waives it has to name, while it holds."),
  approval: objectName().optional().describe("The Approval that waived it."),
});
export type StageStatus = z.infer<typeof stageStatus>;

/** What is to come, as the last simulation of the fleet said; only occurrences and dates, never seconds that move. */
const rolloutForecast = z.object({
  digest: z.string().max(80),
  at: instant(),
  finishAt: instant().optional(),
  fits: z.boolean().describe("Whether every PoP has a window before the end of the train."),
  message: longText().describe("The last Sunday, or by how many PoPs it does not fit, and why."),
  windows: z
    .array(z.object({ date: z.string().max(10), pops: z.int().min(0) }))
    .max(60)
    .optional()
    .describe("How many PoPs start on which local date."),
});
export type RolloutForecast = z.infer<typeof rolloutForecast>;

const decidedBy = z.object({ at: instant(), because: longText() });

export const popRolloutStatus = z.object({
  observedGeneration: z.int().optional(),
  seenAt: instant().optional().describe("When the operator first saw it; an announcement never counts from earlier than this (W3)."),
  startDate: localDate().optional().describe("Local date of its departure, fixed when first resolved."),
  endDate: localDate().optional().describe("Local date of the end of its train: windows that open on it or later may not be used."),
  stages: z.array(stageStatus).max(8).meta(mapList("name")).optional().describe("The evidence before the first wave."),
  waves: z.array(waveStatus).max(21).meta(mapList("name")).optional().describe("Where each wave is."),
  // Atomic: as a map list, the server would keep who owns each field of each PoP, which is as much again as the list itself.
  assignments: z.array(assignment).max(1000).meta(ATOMIC_LIST).optional().describe("What each PoP is asked to run; PoPs read it here."),
  numbers: z
    .object({ pops: z.int(), passed: z.int(), open: z.int(), failed: z.int(), skipped: z.int() })
    .optional()
    .describe("How many PoPs it reaches, and where they are."),
  excluded: z
    .array(z.object({ reason: z.string().max(64), pops: z.int().min(1), message: longText() }))
    .max(16)
    .meta(ATOMIC_LIST)
    .optional()
    .describe("PoPs that have no share yet and may not get one as they stand: how many, which, and what they run or who pinned them."),
  halted: decidedBy.optional().describe("More PoPs failed than may: nothing new starts."),
  stopped: decidedBy.optional().describe("A person stopped it, or something took its place: nothing new starts, for ever."),
  takenBack: decidedBy.optional().describe("The version goes back on every PoP that has it."),
  supersededBy: z.object({ name: objectName(), uid: uid(), at: instant() }).optional().describe("The rollout that mends this one."),
  emergency: z
    .object({ approval: objectName(), by: userName(), at: instant() })
    .optional()
    .describe("The Approval that let the emergency begin."),
  digest: z
    .string()
    .max(80)
    .optional()
    .describe("What an Approval of the rollout as a whole (Emergency, RetryFailed, LiftFreeze) has to name."),
  freezesLifted: z
    .array(
      z.object({
        approval: objectName(),
        by: userName(),
        at: instant(),
        freezes: z.array(objectName()).max(8),
        wave: z.string().max(63).optional(),
      }),
    )
    .max(8)
    .meta(mapList("approval"))
    .optional()
    .describe("Freezes that Approvals lifted, for one wave or for all of them (F8)."),
  standing: z
    .boolean()
    .optional()
    .describe("All waves are over: its version is the current one until superseded or withdrawn, late joiners go to it (G4)."),
  standingSince: instant().optional(),
  forecast: rolloutForecast.optional().describe("What is to come."),
  pausedAt: instant().optional().describe("When the operator first saw the pause; Paused=True follows 10 seconds later."),
  handled: z
    .object({ stop: instant().optional(), retry: instant().optional(), takeBack: instant().optional() })
    .optional()
    .describe("The last request of each kind that was carried out."),
  outcome: z.enum(["Completed", "Halted", "Stopped", "RolledBack", "Superseded"]).optional().describe("How it ended."),
  endedAt: instant().optional(),
  holds: z.array(hold).max(32).optional().describe("What holds it, in order; the first is what it waits for."),
  conditions: z.array(condition).max(8).meta(mapList("type")).optional(),
});
export type PopRolloutStatus = z.infer<typeof popRolloutStatus>;
