import { z } from "zod";
import { instant, longText, objectName } from "./common.ts";

export const NODE_STEPS = ["Pending", "Claimed", "Updating", "Soaking", "Done", "Failed", "Skipped"] as const;

/** What the ledger knows of one node: the step that it stands at, the attempt, and what was measured before it (rules G1, P3). */
export const popNodeStatus = z.object({
  name: objectName(),
  uid: z.string().max(64),
  revision: z.string().max(64).optional(),
  step: z.enum(NODE_STEPS),
  since: instant(),
  attempt: z.int().min(0).default(0),
  token: z.string().max(64).optional(),
  /** The number that orders the drains of this claim after all earlier ones (G5a). */
  sequence: z.int().min(0).optional(),
  sessions: z.int().min(0).optional(),
  reconnectSeconds: z.number().optional(),
  /** Sessions of this node that had come back to the PoP before the drain began; P11 judges the difference. */
  reconnectBaseline: z
    .object({
      count: z.number(),
      buckets: z.array(z.object({ le: z.number(), count: z.number() })).max(40),
      /** When it was counted: sources of counters that were lost since then can no longer speak against the version. */
      at: instant().optional(),
    })
    .optional(),
  /**
   * The boot of the node's machine that the attempt is judged by. After a reboot: since when that is known, and how often the containers
   * of the pod had been restarted by then, in their order; what came before is the machine's doing (P6).
   */
  boot: z
    .object({
      id: z.string().max(64),
      since: instant().optional(),
      pod: z.string().max(64).optional(),
      restarts: z.array(z.int().min(0)).max(64).optional(),
    })
    .optional(),
  /** The container that counted sessions here when it was last looked at, and when one before it was lost with its counters (P11). */
  counters: z.object({ instance: z.string().max(64).optional(), lostAt: instant().optional() }).optional(),
  /** How often the new pod was deleted and tried again in this attempt (P6). */
  retried: z.int().min(0).optional(),
  /** The pod that the retry deletes; written before it is deleted. */
  retryPod: z.string().max(64).optional(),
  /** Why a node was left out. */
  skipped: z.enum(["Gone", "CordonedByPerson", "NotReadyBefore", "NotReady"]).optional(),
  message: longText().optional(),
});
export type PopNodeStatus = z.infer<typeof popNodeStatus>;
