import { z } from "zod";
import { instant, longText, objectName } from "./common.ts";

const versionText = () => z.string().min(1).max(64);
const revisionText = () => z.string().min(1).max(64);

export const RUN_STATES = ["Preflight", "Rolling", "Baking", "Passed", "RollingBack"] as const;
export const OUTCOMES = ["Promoted", "RolledBack", "RollbackFailed", "Stopped", "Superseded"] as const;

const timer = z.object({ since: instant().optional(), accumulated: z.int().min(0).default(0) });

const spentOn = () => z.int().min(0);

/** Calendar milliseconds of a run by what they went into, from its first write on until it passed or ended. */
export const runSpent = z.object({
  working: spentOn(),
  window: spentOn(),
  people: spentOn(),
  soaking: spentOn(),
  /** Until when it is accounted; it moves only with writes that are made anyway (G11, P14). */
  until: instant(),
  /** When it first passed: what comes later is watched and disturbs nobody, so it is not accounted. */
  passedAt: instant().optional(),
});
export type RunSpent = z.infer<typeof runSpent>;

/** The run in hand (rules G3, G4): what was frozen when it began, and its timers. */
export const popRun = z.object({
  id: z.int().min(1),
  kind: z.enum(["Join", "Roll", "Rollback"]),
  revision: revisionText(),
  version: versionText(),
  /** The revision that the whole PoP ran when the run began; absent only for a first version. */
  back: revisionText().optional(),
  startedAt: instant(),
  state: z.enum(RUN_STATES),
  /** Why a rollback began. */
  cause: longText().optional(),
  /** The revision that a rollback moves nodes away from; it moves no others (P7). */
  from: revisionText().optional(),
  /** The run that a rollback takes back, for the history. */
  takesBack: z.object({ version: versionText(), startedAt: instant(), spent: runSpent.optional() }).optional(),
  /** A revision that was superseded in mid-roll: this run brings the nodes that still run it home, and they are judged until then (P12). */
  superseded: z.object({ revision: revisionText(), version: versionText() }).optional(),
  /** A request or a newer revision ended this run's right to start nodes (P12). */
  ending: z.enum(["Stopped", "Superseded"]).optional(),
  frozen: z.object({
    members: z.array(z.object({ name: objectName(), uid: z.string().max(64) })).max(1000),
    order: z.array(z.string().max(64)).max(1000),
    health: z.looseObject({}).optional(),
    /** Nodes that the run may have out at once; the stricter of this and the spec counts at each act (G4). Older runs have none. */
    maxUnavailable: z.int().min(1).optional(),
  }),
  baseline: z
    .array(z.object({ name: z.string().max(63), verdict: z.string().max(32), value: z.number().optional() }))
    .max(32)
    .optional(),
  imageIDs: z.array(z.string().max(512)).max(16).optional(),
  timers: z.object({ bake: timer.optional(), watch: timer.optional(), unknown: timer.optional(), excuse: timer.optional() }).default({}),
  noticed: z.array(z.string().max(64)).max(32).optional(),
  /** Absent on runs that an older operator began. */
  spent: runSpent.optional(),
  /** What the rollout that assigned the version said when the run began (G4); absent: a person pinned it, or it is no roll forward. */
  rollout: z.object({ name: objectName(), uid: z.string().max(64) }).optional(),
  class: z.enum(["Regular", "Emergency"]).optional(),
  /** In place of `strategy.bake`. */
  bake: z.string().max(32).optional(),
  /** In place of `strategy.watch`: judged at least until then, and at least for 24 h (P8). */
  watchUntil: instant().optional(),
});
export type PopRun = z.infer<typeof popRun>;

export const checkStatus = z.object({
  name: z.string().max(63),
  node: objectName().optional(),
  verdict: z.enum(["Healthy", "Unhealthy", "Unknown", "NotEnoughSamples"]),
  since: instant(),
  evidence: longText(),
});
export type CheckStatus = z.infer<typeof checkStatus>;

export const historyEntry = z.object({
  version: versionText(),
  revision: revisionText(),
  startedAt: instant(),
  endedAt: instant(),
  outcome: z.enum(OUTCOMES),
  /** What the whole PoP ran when the run began: there a version goes that is taken back after it was promoted (P7). */
  back: revisionText().optional(),
  evidence: longText().optional(),
  /** How many nodes the run began with. */
  nodes: z.int().min(0).optional(),
  /** Of a rollback, the time of the roll that it took back is in it too, unless that one stands in an entry of its own. */
  spent: runSpent.optional(),
});
export type HistoryEntry = z.infer<typeof historyEntry>;
