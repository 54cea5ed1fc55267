import { z } from "zod";
import { ATOMIC_LIST, mapList } from "./cel.ts";
import { condition, hold, instant, longText } from "./common.ts";

export const MOST_RAMP_STEPS = 52;

/** Honest numbers (rule S10): what was not reached is not called a success. Sites, not Sockets. */
const numbers = z.object({
  sites: z.int().describe("Sites that it applies to: model, version, maximumVersion."),
  inRamp: z.int().describe("Of these, those that the ramp has reached."),
  offered: z.int().describe("A command was claimed."),
  attempted: z.int().describe("A Socket began to install."),
  confirmed: z.int().describe("Every Socket itself reports the version and stayed connected."),
  failed: z.int().describe("A Socket failed, and is not confirmed since."),
  unreachable: z.int().describe("Skipped, because a Socket was not connected or unstable in its window."),
});
export type SocketNumbers = z.infer<typeof numbers>;

/** The ledger of the rollout: the position of its ramp, which only grows (rules G5, S10). */
const ramp = z.object({
  step: z.int().min(0).describe("Index of the step that is open; the first is 0."),
  percent: z.int().min(0).max(100).describe("The share that it has reached."),
  opened: z
    .array(z.object({ percent: z.int().min(1).max(100), at: instant() }))
    .max(MOST_RAMP_STEPS)
    .meta(mapList("percent"))
    .describe("When each share was reached: a site's announcement counts from its own (W3)."),
  timer: z
    .object({ since: instant().optional(), accumulated: z.int().min(0).default(0) })
    .optional()
    .describe("How long the open step has lasted; it stands still while the rollout is paused (G3)."),
});
export type RampLedger = z.infer<typeof ramp>;

export const socketRolloutStatus = z.object({
  observedGeneration: z.int().optional(),
  seenAt: instant().optional().describe("When the operator first saw it, by its own clock (W3)."),
  announcedAt: instant().optional().describe("The latest date that it was announced for; one that is edited back wins nothing (W3)."),
  revision: z.string().max(64).optional().describe("Version and digest of the artifact; verdicts are of it (G8)."),
  ramp: ramp.optional(),
  numbers: numbers.optional(),
  measured: z
    .object({ download: z.string().max(32).optional(), install: z.string().max(32).optional(), failover: z.string().max(32).optional() })
    .optional()
    .describe("The 95th percentile of what upgrades took, where it is longer than expected."),
  skipped: z
    .array(z.object({ reason: z.string().max(64), sites: z.int() }))
    .max(32)
    .meta(mapList("reason"))
    .optional()
    .describe("Sites that wait, by reason."),
  forecast: z
    .object({ finishAt: instant().optional(), sitesThisWeek: z.int().optional() })
    .optional()
    .describe("When the ramp is through and the last site's window is over, if nothing fails."),
  lateJoiners: z.object({ week: instant(), admitted: z.int() }).optional().describe("Late joiners that were admitted this week (G4)."),
  standingSince: instant().optional().describe("The ramp is through: who joins later goes to this version."),
  stopped: z
    .object({ at: instant(), by: z.enum(["Person", "Failures", "Superseded"]), message: longText() })
    .optional()
    .describe("Starts nothing more, for ever."),
  pausedAt: instant().optional().describe("When the operator first saw spec.paused; Paused=True follows 10 s later (G15)."),
  handled: z.object({ stop: instant().optional() }).optional(),
  holds: z.array(hold).max(16).meta(ATOMIC_LIST).optional(),
  conditions: z.array(condition).max(8).meta(mapList("type")).optional(),
});
export type SocketRolloutStatus = z.infer<typeof socketRolloutStatus>;
