import { z } from "zod";
import { ATOMIC_LIST, mapList } from "./cel.ts";
import { condition, hold, instant, longText, objectName } from "./common.ts";

export const MOST_PHASES = 16;

/** Honest numbers (rule C4), in devices: what was not reached is not called a success. */
export const clientNumbers = z.object({
  eligible: z.int().describe("Devices that it applies to and that have been reached by stage and policy."),
  offered: z.int().describe("It was offered at a check-in."),
  attempted: z.int().describe("The device began to install."),
  confirmed: z.int().describe("The device itself reports the version."),
  failed: z.int().describe("It reported an error, and is not confirmed since."),
  unreachable: z.int().describe("Eligible, and no check-in since the stage opened."),
});
export type ClientNumbers = z.infer<typeof clientNumbers>;

const STAGES = ["Exposed", "Pilot", "Phase"] as const;

/** The ledger of the rollout: where it is. Both shares only grow (rules C3, C6). */
const reached = z.object({
  stage: z.enum(STAGES).describe("Exposed: devices on the faulty version. Pilot: pilots alone. Phase: general users too."),
  phase: z.int().min(1).max(MOST_PHASES).optional().describe("The number of the phase, from 1."),
  accountsPercent: z.int().min(0).max(100),
  usersPercent: z.int().min(0).max(100),
  timer: z
    .object({ since: instant().optional(), accumulated: z.int().min(0).default(0) })
    .describe("How long the stage has lasted; it stands still while the rollout is paused (G3)."),
});
export type ReachedLedger = z.infer<typeof reached>;

const stage = z.object({
  name: z.string().max(16).describe("exposed, pilot, phase-1, phase-2 …"),
  openedAt: instant(),
  endedAt: instant().optional(),
  outcome: z
    .enum(["Passed", "FewButPassed", "NobodyEligible", "Approved"])
    .optional()
    .describe("How its gate let the next one open. FewButPassed: fewer than the minimum, after its patience."),
  approval: objectName().optional().describe("The Approval that opened it."),
  numbers: clientNumbers.optional().describe("Of the devices that it reached first."),
});
export type StageRecord = z.infer<typeof stage>;

/** What a fixed version takes over, copied when it was first seen, so that the old object may go (rule C6). */
const inherited = z.object({
  from: objectName(),
  versions: z.array(z.string().max(64)).min(1).max(8).meta(ATOMIC_LIST).describe("The faulty versions of the chain, the oldest first."),
  accountsPercent: z.int().min(0).max(100),
  usersPercent: z.int().min(0).max(100),
  pilotPassed: z.boolean(),
  pilotElapsed: z.int().min(0).describe("Milliseconds that the pilots had the versions before it."),
  generalFrom: instant().optional().describe("The earliest general rollout of the first version of the chain."),
});
export type Inherited = z.infer<typeof inherited>;

export const clientRolloutStatus = z.object({
  observedGeneration: z.int().optional(),
  seenAt: instant().optional().describe("When the operator first saw it, by its own clock."),
  effective: z.enum(["Run", "Paused", "Stopped"]).optional().describe("The strictest word. Paused: every gateway confirmed it (C5)."),
  reasons: z
    .array(z.object({ by: z.enum(["Provider", "Fleet", "Monitoring", "Superseded"]), message: longText() }))
    .max(4)
    .meta(mapList("by"))
    .optional()
    .describe("Everybody who holds it, and why."),
  pause: z
    .object({ id: z.int().min(1), since: instant().optional() })
    .optional()
    .describe("What gateways confirm: the id grows with each pause and never comes back; without since it is over."),
  monitoring: z
    .object({
      paused: z.object({ at: instant(), by: z.enum(["Failures", "Query"]), message: longText() }).optional(),
      countedFrom: z
        .object({ attempted: z.int().min(0), failed: z.int().min(0) })
        .optional()
        .describe("What a person judged when the automatic pause was lifted."),
    })
    .optional()
    .describe("The automatic pause, until requests.resume lifts it."),
  reached: reached.optional(),
  stages: z
    .array(stage)
    .max(MOST_PHASES + 2)
    .meta(mapList("name"))
    .optional(),
  numbers: clientNumbers.optional().describe("Of all stages together."),
  inherited: inherited.optional(),
  chain: z.array(objectName()).max(8).meta(ATOMIC_LIST).optional().describe("The rollouts that it mends, the oldest first, itself last."),
  stopped: z
    .object({ at: instant(), by: z.enum(["Person", "Superseded"]), message: longText() })
    .optional()
    .describe("Nothing is offered any more, for ever."),
  standingSince: instant().optional().describe("Everybody is reached: who comes later goes to this version."),
  support: z
    .object({ endsAt: instant(), weeksLeft: z.int() })
    .optional()
    .describe("Whole weeks until the version is no longer supported; negative afterwards."),
  forecast: z
    .object({
      phases: z
        .array(z.object({ phase: z.int().min(1), at: instant() }))
        .max(MOST_PHASES)
        .meta(mapList("phase")),
      standsAt: instant(),
    })
    .optional()
    .describe("When each coming phase opens, if nothing fails, nobody pauses it and every gate has its evidence in time."),
  digest: z.string().max(80).optional().describe("What an Approval names that opens the next stage."),
  handled: z.object({ resume: instant().optional() }).optional(),
  holds: z.array(hold).max(16).meta(ATOMIC_LIST).optional(),
  conditions: z.array(condition).max(8).meta(mapList("type")).optional(),
});
export type ClientRolloutStatus = z.infer<typeof clientRolloutStatus>;
