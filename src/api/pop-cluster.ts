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
import { healthCheck, httpEndpoint, popHealth } from "./health.ts";
import { podTemplate } from "./pod-template.ts";
import { popStrategy } from "./strategy.ts";

export type { HealthCheck, HttpEndpoint } from "./health.ts";
export type { PodTemplate } from "./pod-template.ts";

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

export const popContent = z.object({
  version: versionText().meta(
    rules({
      rule: "self.matches('^[0-9A-Za-z_][0-9A-Za-z_.-]*$')",
      message: "write letters, digits, points, hyphens and underscores, for example sig.418",
    }),
  ),
  source: z
    .object({ configMapRef: reference().optional(), ociArtifact: z.string().min(1).max(512).optional() })
    .meta(rules({ rule: "has(self.configMapRef) != has(self.ociArtifact)", message: "write exactly one of configMapRef and ociArtifact" })),
  load: z.object({ http: httpEndpoint }).describe("How a running data plane is told to load it."),
  health: z.array(healthCheck).max(8).meta(mapList("name")).default([]).describe("Judged on each node that loaded it."),
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

export const RUN_STATES = ["Preflight", "Rolling", "Baking", "Passed", "RollingBack"] as const;
export const NODE_STEPS = ["Pending", "Claimed", "Updating", "Soaking", "Done", "Failed", "Skipped"] as const;
export const OUTCOMES = ["Promoted", "RolledBack", "RollbackFailed", "Stopped", "Superseded"] as const;

const timer = z.object({ since: instant().optional(), accumulated: z.int().min(0).default(0) });

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
  takesBack: z.object({ version: versionText(), startedAt: instant() }).optional(),
  /** A request or a newer revision ended this run's right to start nodes (P12). */
  ending: z.enum(["Stopped", "Superseded"]).optional(),
  frozen: z.object({
    members: z.array(z.object({ name: objectName(), uid: z.string().max(64) })).max(1000),
    order: z.array(z.string().max(64)).max(1000),
    health: z.looseObject({}).optional(),
  }),
  baseline: z
    .array(z.object({ name: z.string().max(63), verdict: z.string().max(32), value: z.number().optional() }))
    .max(32)
    .optional(),
  imageIDs: z.array(z.string().max(512)).max(16).optional(),
  timers: z.object({ bake: timer.optional(), watch: timer.optional(), unknown: timer.optional(), excuse: timer.optional() }).default({}),
  noticed: z.array(z.string().max(64)).max(32).optional(),
});
export type PopRun = z.infer<typeof popRun>;

export const popNodeStatus = z.object({
  name: objectName(),
  uid: z.string().max(64),
  revision: z.string().max(64).optional(),
  step: z.enum(NODE_STEPS),
  since: instant(),
  attempt: z.int().min(0).default(0),
  token: z.string().max(64).optional(),
  sessions: z.int().min(0).optional(),
  reconnectSeconds: z.number().optional(),
  /** Sessions of this node that had come back to the PoP before the drain began; P11 judges the difference. */
  reconnectBaseline: z.object({ count: z.number(), buckets: z.array(z.object({ le: z.number(), count: z.number() })).max(40) }).optional(),
  /** How often the new pod was deleted and tried again in this attempt (P6). */
  retried: z.int().min(0).optional(),
  /** The pod that the retry deletes; written before it is deleted. */
  retryPod: z.string().max(64).optional(),
  /** Why a node was left out. */
  skipped: z.enum(["Gone", "CordonedByPerson", "NotReadyBefore", "NotReady"]).optional(),
  message: longText().optional(),
});
export type PopNodeStatus = z.infer<typeof popNodeStatus>;

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
  evidence: longText().optional(),
});

export const popClusterStatus = z.object({
  observedGeneration: z.int().optional(),
  /** The version that the whole PoP runs (of `revisions.current`); the Fleet counts by it. */
  version: versionText().optional(),
  /** How many members there are and how many of them cannot serve, whoever took them out (P1); the Fleet's capacity floor counts by it. */
  members: z.object({ total: z.int().min(0), out: z.int().min(0) }).optional(),
  run: popRun.optional(),
  grant: z.object({ id: z.int().min(1), kind: z.enum(["Roll", "Rollback"]), state: z.enum(["Asked", "Returned"]) }).optional(),
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
  clusterUID: z.string().max(64).optional(),
  content: z
    .object({
      current: z.string().max(64).optional(),
      target: z.string().max(64).optional(),
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
  handled: z.object({ takeBack: instant().optional(), stop: instant().optional(), retry: instant().optional() }).optional(),
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
    { name: "Region", jsonPath: ".spec.region", priority: 1 },
    { name: "Zone", jsonPath: ".spec.timeZone", priority: 1 },
    { name: "Next Window", jsonPath: ".status.next[0].localStart", priority: 1 },
    { name: "Ready", jsonPath: '.status.conditions[?(@.type=="Ready")].status', priority: 1 },
    AGE_COLUMN,
  ],
  selectableFields: [".spec.region", ".spec.timeZone", ".spec.windowRef.name", ".spec.version"],
});
