import { z } from "zod";
import { mapList, rules, VERSION_PATTERN } from "./cel.ts";
import {
  condition,
  hold,
  instant,
  labelSelector,
  longText,
  objectName,
  occurrence,
  reference,
  shortText,
  type ObjectMeta,
  writtenInstant,
  zoneName,
} from "./common.ts";
import { AGE_COLUMN, defineResource } from "./define-resource.ts";
import { popHealth } from "./health.ts";
import { podTemplate } from "./pod-template.ts";
import { popContent } from "./pop-content.ts";
import { ASSIGNMENT_ORDERS } from "./pop-rollout.ts";
import { popNodeStatus } from "./pop-node-status.ts";
import { checkStatus, historyEntry, popRun } from "./pop-run.ts";
import { popStrategy } from "./strategy.ts";

export type { HealthCheck, HttpEndpoint } from "./health.ts";
export type { PodTemplate } from "./pod-template.ts";
export { NODE_STEPS, type PopNodeStatus } from "./pop-node-status.ts";
export type { CheckStatus, HistoryEntry, PopRun, RunSpent } from "./pop-run.ts";

/** Shown as it is; also the tag of images, so it holds nothing that a tag may not. */
const versionText = () => z.string().min(1).max(64);
const writtenVersion = () =>
  versionText().meta(
    rules({
      rule: `self.matches('${VERSION_PATTERN}')`,
      message: 'write 2 to 4 numbers without leading zeros, a pre-release after a hyphen, for example "2026.11.2" or "2026.11.2-rc.1"',
    }),
  );
const revisionText = () => z.string().min(1).max(64);

const personRequest = z.object({
  revision: z.string().max(64).optional().describe("The revision that is meant; left out: the one in hand."),
  at: writtenInstant().describe("When it was asked; the request is carried out once for each value."),
});

export const popClusterSpec = z
  .object({
    version: writtenVersion().optional().describe("A person pins the version; left out, PoPRollouts assign it."),
    displayName: shortText().optional(),
    region: z.string().min(1).max(63).optional().describe("PoPs of one region share maxConcurrentPerRegion of the Fleet."),
    timeZone: zoneName().describe("The IANA zone of the PoP; windows in Local time are read in it."),
    nodeSelector: labelSelector().describe("The nodes of the PoP."),
    kubeconfigSecretRef: reference()
      .optional()
      .describe("Secret with a kubeconfig of the PoP's own cluster; left out: the cluster that the operator runs in."),
    reach: z.enum(["Direct", "ApiServerProxy"]).default("Direct").describe("How nodes and pods of the PoP are asked."),
    dataPlaneNamespace: z
      .string()
      .min(1)
      .max(63)
      .meta(
        rules({
          rule: "self == oldSelf",
          message: "a data plane runs in that namespace and would be left behind: create a new PoPCluster for another namespace",
        }),
      )
      .default("rollward-data-plane")
      .describe("The namespace of the data plane in the PoP's cluster."),
    template: podTemplate.describe(
      "The pod template of the data plane. Labels, annotations, containers are looked at; the rest is preserved.",
    ),
    content: popContent.optional().describe("Signatures and the like, loaded by the running data plane; never disrupts."),
    windowRef: reference().describe("The MaintenanceWindow in which nodes may be disrupted."),
    strategy: popStrategy.default(popStrategy.parse({})).describe("How nodes are updated, one after the other."),
    health: popHealth.default(popHealth.parse({})).describe("How a version is judged."),
    rollback: z
      .object({
        automatic: z.boolean().default(true).describe("A version that turns bad is taken back without asking."),
        maxUnavailable: z.int().min(1).max(1000).default(1).describe("Nodes that a rollback may have out at once."),
        ignoreWindow: z.boolean().default(true).describe("A rollback does not wait for the window, nor for the end of a freeze."),
      })
      .default({ automatic: true, maxUnavailable: 1, ignoreWindow: true }),
    adopt: z.object({ daemonSet: reference() }).optional().describe("Take over a data plane that already runs, node by node."),
    deletionPolicy: z.enum(["Orphan", "Delete"]).default("Orphan").describe("Orphan: deleting this object leaves the data plane running."),
    revisionHistoryLimit: z.int().min(1).max(50).default(5),
    paused: z.boolean().default(false).describe("Nothing starts; what was changed is finished, rollbacks go on."),
    requests: z
      .object({
        takeBack: personRequest.optional().describe("Roll back now."),
        stop: personRequest.optional().describe("Start no more nodes; the PoP stays mixed."),
        retry: personRequest.optional().describe("Try a revision again that has failed."),
      })
      .optional(),
  })
  .meta(
    rules(
      {
        rule: "has(self.kubeconfigSecretRef) || has(self.nodeSelector.matchLabels) && self.nodeSelector.matchLabels.size() > 0",
        message:
          "an empty nodeSelector takes every node of the operator's own cluster: " +
          "write nodeSelector.matchLabels, for example {rollward.dev/pop: fra1}",
        fieldPath: ".nodeSelector",
      },
      {
        rule: "self.reach != 'ApiServerProxy' || has(self.kubeconfigSecretRef)",
        message: "reach: ApiServerProxy leads through the PoP's own API server: write kubeconfigSecretRef, or reach: Direct",
        fieldPath: ".reach",
      },
      {
        rule: "!has(oldSelf.adopt) || !has(self.adopt) || self.adopt.daemonSet.name == oldSelf.adopt.daemonSet.name",
        message: "another DaemonSet is being adopted: remove adopt first, then write the other name",
        fieldPath: ".adopt",
      },
    ),
  );
export type PopClusterSpec = z.infer<typeof popClusterSpec>;

/** What a rollout assigns, as people see it; no decision reads it. */
const assignedBy = z.object({
  rollout: objectName(),
  uid: z.string().max(64),
  wave: z.string().max(63),
  version: z.string().max(64),
  class: z.enum(["Regular", "Emergency"]),
  /** The Approval that let its wave open. */
  approval: objectName().optional(),
  from: z.string().max(10).optional(),
  to: z.string().max(10).optional(),
  order: z.enum(ASSIGNMENT_ORDERS),
  because: longText().optional(),
});

const keptSource = z.object({
  configMapRef: reference().optional(),
  ociArtifact: z.string().max(512).optional(),
  /** Of what the ConfigMap held when it was loaded: `sha256:` and the hexadecimal hash of its `data` and `binaryData` as canonical JSON. */
  digest: z.string().max(80).optional(),
});

export const popClusterStatus = z.object({
  observedGeneration: z.int().optional(),
  /** The version that the whole PoP runs (of `revisions.current`); the Fleet counts by it. */
  version: versionText().optional(),
  /** How many members there are and how many of them cannot serve, whoever took them out (P1); the Fleet's capacity floor counts by it. */
  members: z.object({ total: z.int().min(0), out: z.int().min(0) }).optional(),
  /** The cluster of the PoP does not answer, or is another one than before: nobody sees whether it serves (F2). */
  unreachable: z.boolean().optional(),
  run: popRun.optional(),
  /** `class` only for an emergency: the Fleet lets those go before regular rolls (F10). `version` is what a roll goes to (G7). */
  grant: z
    .object({
      id: z.int().min(1),
      kind: z.enum(["Roll", "Rollback"]),
      state: z.enum(["Asked", "Returned"]),
      class: z.enum(["Emergency"]).optional(),
      version: versionText().optional(),
    })
    .optional(),
  /** Which rollout assigns the version, and which one the content; absent where a person pinned them. */
  assigned: assignedBy.optional(),
  assignedContent: assignedBy.optional(),
  revisions: z
    .object({
      /** What the PoP should run, as last seen; the announcement counts from when it was first seen. */
      wanted: revisionText().optional(),
      current: revisionText().optional(),
      promoted: revisionText().optional(),
      failed: z
        .array(z.object({ revision: revisionText(), version: versionText(), at: instant(), evidence: longText() }))
        .max(20)
        .optional(),
    })
    .optional(),
  announcedAt: instant().optional(),
  /** The planned start of a roll that has not begun, and a change of its window that has not rested for an hour (W7). */
  plan: z
    .object({
      revision: z.string().max(64),
      rule: z.string().max(64),
      announcedAt: instant(),
      start: instant().optional(),
      change: z.object({ rule: z.string().max(64), since: instant() }).optional(),
    })
    .optional(),
  /** When the operator first saw `spec.paused`; Paused=True follows 10 s later (G15). */
  pausedAt: instant().optional(),
  /** How many runs began so far; a run's id is never used again. */
  runs: z.int().min(0).optional(),
  /** The highest drain sequence given so far, to whichever node; the next claim's is higher, whatever the calendar says (G5a). */
  sequence: z.int().min(0).optional(),
  clusterUID: z.string().max(64).optional(),
  content: z
    .object({
      current: z.string().max(64).optional(),
      /** What was in use before `current`: there it goes when a rollout takes it back after it was loaded. */
      previous: z.string().max(64).optional(),
      previousSource: keptSource.optional(),
      /** What `current` was loaded from; sent with it again on the way back (P15). */
      source: keptSource.optional(),
      target: z.string().max(64).optional(),
      targetSource: keptSource.optional(),
      state: z.enum(["Loading", "Baking", "Loaded", "RollingBack"]).optional(),
      since: instant().optional(),
      failed: z
        .array(z.object({ version: z.string().max(64), at: instant(), evidence: longText() }))
        .max(20)
        .optional(),
      nodes: z
        .array(z.object({ name: objectName(), uid: z.string().max(64), version: z.string().max(64), since: instant().optional() }))
        .max(1000)
        .optional(),
    })
    .optional(),
  next: z.array(occurrence).max(5).optional(),
  checks: z.array(checkStatus).max(2000).optional(),
  nodes: z.array(popNodeStatus).max(1000).optional(),
  holds: z.array(hold).max(32).optional(),
  /** What was asked for and is carried out, once for each value; `assigned…`: by a rollout (F4). */
  handled: z
    .object({
      takeBack: instant().optional(),
      stop: instant().optional(),
      retry: instant().optional(),
      assignedTakeBack: instant().optional(),
      assignedStop: instant().optional(),
      assignedRetry: instant().optional(),
      assignedContentTakeBack: instant().optional(),
      assignedContentRetry: instant().optional(),
    })
    .optional(),
  history: z.array(historyEntry).max(20).optional(),
  conditions: z.array(condition).max(8).meta(mapList("type")).optional(),
});
export type PopClusterStatus = z.infer<typeof popClusterStatus>;

export interface PopCluster {
  readonly apiVersion: string;
  readonly kind: "PoPCluster";
  readonly metadata: ObjectMeta;
  readonly spec: PopClusterSpec;
  readonly status?: PopClusterStatus;
}

export const POP_CLUSTER = defineResource<PopCluster>({
  kind: "PoPCluster",
  plural: "popclusters",
  shortNames: ["pop"],
  description:
    "A point of presence: the nodes that form it, what runs on them, when and how they may be updated, and how a version is judged.",
  spec: popClusterSpec,
  status: popClusterStatus,
  rules: [
    {
      rule: "self.metadata.name.size() <= 40",
      message:
        "the name of a PoPCluster has at most 40 characters, because node labels carry it together with the revision: write a shorter one",
    },
  ],
  columns: [
    { name: "State", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: "Version", jsonPath: ".status.version", description: "What the whole PoP runs." },
    { name: "Target", jsonPath: ".status.run.version", description: "What is being rolled." },
    { name: "Run", jsonPath: ".status.run.state" },
    { name: "Waits For", jsonPath: ".status.holds[0].reason", description: "Why nothing goes on; rollward explain says it in a sentence." },
    { name: "Until", jsonPath: ".status.holds[0].until" },
    { name: "Rollout", jsonPath: ".status.assigned.rollout", priority: 1, description: "Assigns the version; none: a person pinned it." },
    { name: "Region", jsonPath: ".spec.region", priority: 1 },
    { name: "Zone", jsonPath: ".spec.timeZone", priority: 1 },
    { name: "Next Window", jsonPath: ".status.next[0].localStart", priority: 1 },
    { name: "Ready", jsonPath: '.status.conditions[?(@.type=="Ready")].status', priority: 1 },
    AGE_COLUMN,
  ],
  selectableFields: [".spec.region", ".spec.timeZone", ".spec.windowRef.name", ".spec.version"],
});
