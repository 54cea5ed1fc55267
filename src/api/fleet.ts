import { z } from "zod";
import { ATOMIC_LIST, isDate, mapList, rules, SET_LIST } from "./cel.ts";
import { condition, duration, freeze, instant, localDate, longText, objectName, reference, type ObjectMeta, userName } from "./common.ts";
import { acceptedColumn, AGE_COLUMN, defineResource } from "./define-resource.ts";

const train = z
  .object({
    everyWeeks: z.int().min(1).max(52).describe("A train departs every so many weeks."),
    anchor: localDate().describe("A Sunday on which a train departs; it fixes all the others."),
    length: duration({ atLeast: "24h" }).describe("How long a rollout may start PoPs after its departure, for example 336h."),
  })
  .meta(
    rules({
      rule: `!(${isDate("self.anchor")}) || timestamp(self.anchor + 'T00:00:00Z').getDayOfWeek() == 0`,
      message: 'trains depart on Sundays: write the date of a Sunday, for example anchor: "2026-11-22"',
      fieldPath: ".anchor",
    }),
  );

export const fleetSpec = z.object({
  paused: z.boolean().default(false).describe("Nothing rolls forward anywhere; what was changed is finished, rollbacks go on."),
  reason: longText().optional().describe("Why it is paused; shown to whoever waits."),
  freezes: z.array(freeze).max(64).meta(mapList("name")).optional().describe("Days on which nothing is disrupted in the whole fleet."),
  train: train.optional().describe("When PoP releases depart."),
  maxConcurrentPoPs: z.int().min(1).max(1000).default(1).describe("PoPs that may roll at once; degraded ones count."),
  maxConcurrentPerRegion: z.int().min(1).max(1000).default(1).describe("PoPs of one region that may be disrupted or degraded at once."),
  maxConcurrentRollbacks: z.int().min(1).max(1000).default(2).describe("Places kept for rollbacks; they never take one of a roll."),
  capacityFloorPercent: z.int().min(0).max(100).default(0).describe("Share of all members of the fleet that always serves."),
  accounts: z
    .object({
      minimumNotice: duration({ atMost: "336h" }).optional().describe("Notice that every site gets at least; an account may ask for more."),
      defaultSocketWindow: reference().optional().describe("The window of accounts that set none."),
    })
    .optional()
    .describe("What the provider promises its accounts."),
  approvers: z
    .array(userName())
    .max(64)
    .meta({
      ...SET_LIST,
      ...rules({ rule: "self.size() > 0", message: "an empty list lets nobody approve: name users, or leave approvers out" }),
    })
    .optional()
    .describe("Users whose Approvals count; left out: everybody who may create one."),
});

const grantKind = z.enum(["Roll", "Rollback"]);

/** One granted disruption of one PoP (rule G14). */
export const disruption = z.object({
  pop: objectName(),
  uid: z.string().max(64),
  id: z.int().min(1),
  kind: grantKind,
  region: z.string().max(63).optional(),
  since: instant(),
});
export type Disruption = z.infer<typeof disruption>;

/** One PoP that asked and has no grant yet, and why. `since` is its place in the queue: nobody starves (L3). */
export const waitingForGrant = z.object({
  pop: objectName(),
  uid: z.string().max(64),
  id: z.int().min(1),
  kind: grantKind,
  since: instant(),
  rule: z.string().max(16),
  reason: z.string().max(64),
  message: z.string().max(1024),
  /**
   * PoPs with which it shares sites that have two tunnels and that are in its way. One that holds a grant while a Rollback waits for it
   * starts nothing more and returns it (F10); where there are more of them than fit, the others follow when these have returned.
   */
  partners: z.array(objectName()).max(64).meta(SET_LIST).optional(),
});
export type WaitingForGrant = z.infer<typeof waitingForGrant>;

export const fleetStatus = z.object({
  observedGeneration: z.int().optional(),
  /** Keyed by the PoP's UID, so that the server itself refuses a second grant to one PoP. */
  disruptions: z.array(disruption).max(2000).meta(mapList("uid")).optional().describe("The ledger of grants: which PoPs may disrupt now."),
  waiting: z.array(waitingForGrant).max(1000).meta(mapList("uid")).optional().describe("PoPs that asked and why they wait."),
  /** Lengths of the two lists: a printer column shows no more than the first item of a list. */
  counts: z.object({ disrupted: z.int(), waiting: z.int() }).optional(),
  versions: z
    .array(z.object({ version: z.string().max(64), pops: z.int() }))
    .max(64)
    .meta(mapList("version"))
    .optional()
    .describe("How many PoPs run which version."),
  tzdata: z.string().max(16).optional().describe("The time-zone data that windows are computed with."),
  nextDepartures: z
    .array(z.string().max(40))
    .max(5)
    .meta(ATOMIC_LIST)
    .optional()
    .describe("Local dates of the next trains that have not begun anywhere."),
  /** When the operator first saw `spec.paused`; Paused=True follows 10 s later (G15). */
  pausedAt: instant().optional(),
  conditions: z.array(condition).max(8).meta(mapList("type")).optional(),
});

export type FleetSpec = z.infer<typeof fleetSpec>;
export type FleetStatus = z.infer<typeof fleetStatus>;
export interface Fleet {
  readonly apiVersion: string;
  readonly kind: "Fleet";
  readonly metadata: ObjectMeta;
  readonly spec: FleetSpec;
  readonly status?: FleetStatus;
}

export const FLEET = defineResource<Fleet>({
  kind: "Fleet",
  plural: "fleets",
  shortNames: ["fl"],
  description: "The brakes and limits of the whole fleet, and the ledger of the disruptions that are granted. There is one, named fleet.",
  spec: fleetSpec,
  status: fleetStatus,
  rules: [{ rule: "self.metadata.name == 'fleet'", message: "there is one Fleet: write metadata.name: fleet" }],
  columns: [
    { name: "Paused", type: "boolean", jsonPath: ".spec.paused" },
    { name: "Disrupted", type: "integer", jsonPath: ".status.counts.disrupted", description: "How many PoPs may disrupt now." },
    { name: "Waiting", type: "integer", jsonPath: ".status.counts.waiting", description: "How many PoPs asked and have no grant yet." },
    { name: "Next Departure", jsonPath: ".status.nextDepartures[0]" },
    { name: "Reason", jsonPath: ".spec.reason", priority: 1 },
    acceptedColumn(),
    AGE_COLUMN,
  ],
});
