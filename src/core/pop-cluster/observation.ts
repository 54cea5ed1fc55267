import type { CheckStatus, PopClusterSpec, PopClusterStatus, PodTemplate } from "../../api/pop-cluster.ts";
import type { Disruption, WaitingForGrant } from "../../api/fleet.ts";
import type { Freeze } from "../../api/common.ts";
import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import type { Sample } from "../health/probe.ts";
import type { PopAssignment } from "../rollout/assignment.ts";

/**
 * Everything that is known about one PoP at one moment, as plain data. Nothing in it is decided and nothing defaulted: what could
 * not be read is absent. Ages are elapsed milliseconds; instants of servers are kept as text and never subtracted from `now`.
 */
export interface PopClusterObservation {
  readonly pop: ObservedPop;
  readonly window:
    | { readonly found: true; readonly spec: MaintenanceWindowSpec; readonly problems: readonly string[] }
    | { readonly found: false };
  readonly fleet:
    | {
        readonly found: true;
        readonly paused: boolean;
        readonly reason?: string;
        readonly freezes: readonly Freeze[];
        readonly disruptions: readonly Disruption[];
        /** Who asked for a grant and waits, and which partner PoPs are in its way (rule F10). */
        readonly waiting?: readonly WaitingForGrant[];
      }
    | { readonly found: false };
  /** The other PoPs of this PoP's two-tunnel sites, and how many sites lead to each (rule F2); absent: there are none. */
  readonly partners?: ReadonlyMap<string, number>;
  readonly site: ObservedSite;
  /** The nodes that the selector matches, and those in hand that it matches no longer: what was begun on them is finished. */
  readonly members: readonly Member[];
  /** UIDs of nodes of the ledger that exist and are members no longer, because somebody changed the selector or their labels. */
  readonly deselected: ReadonlySet<string>;
  /** Every pod of this PoP's data plane, wherever it runs, terminating ones included. */
  readonly pods: readonly DataPlanePod[];
  /** Pods of others on members that use a host port of the template. */
  readonly foreignPods: readonly {
    readonly name: string;
    readonly namespace: string;
    readonly node: string;
    readonly owner?: string;
    readonly port: number;
  }[];
  readonly daemonSets: readonly ObservedDaemonSet[];
  readonly records: readonly RevisionRecord[];
  /** The DaemonSet named by `spec.adopt`, when there is one. */
  readonly adoptee?: ObservedAdoptee;
  /** The operator's own Prometheus, for PoPs that name none. */
  readonly defaultPrometheus?: string;
  /** What the sampler has, by probe key; the caller's keys hold pod UIDs and run ids, so a sample is never older than the change. */
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  /** The strict dry run of the DaemonSet, by revision, once asked for. */
  readonly dryRuns: ReadonlyMap<string, { readonly accepted: boolean; readonly message: string; readonly ageMilliseconds: number }>;
  /** The last answer of the data plane of a node to a drain call, by node UID. */
  readonly drains: ReadonlyMap<string, DrainAnswer>;
  /** The sessions that a drained instance held when its drain was first sent, by node UID; kept in memory alone. */
  readonly drainedSessions: ReadonlyMap<string, { readonly token: string; readonly podUID: string; readonly ids: readonly string[] }>;
  /** The last dry-run eviction of the data-plane pod, by node UID. */
  readonly evictions: ReadonlyMap<string, { readonly allowed: boolean; readonly message: string; readonly ageMilliseconds: number }>;
  /** Pods besides the data plane on a node, by node name; looked up only where `drain.evictPods` is set. */
  readonly otherPods: ReadonlyMap<string, readonly OtherPod[]>;
  /** Pods of others whose eviction was refused, by pod UID: what was said, and how long to wait before it is asked again. */
  readonly refusedMoves: ReadonlyMap<string, { readonly message: string; readonly waitMilliseconds: number }>;
  /** Which images were pulled ahead, by `<revision>/<node UID>`, and since when that is known. */
  readonly pulls: ReadonlyMap<
    string,
    { readonly state: "Pulling" | "Pulled" | "Failed"; readonly message: string; readonly ageMilliseconds: number }
  >;
  /** Pods that only pull images; `over`: their outcome is known. */
  readonly pullPods: readonly PullPod[];
  /** The last answer of a node's data plane to a load of content, by node UID. */
  readonly contents: ReadonlyMap<
    string,
    {
      readonly podUID: string;
      readonly containerID: string;
      readonly asked: string;
      readonly status: number;
      readonly message: string;
      readonly ageMilliseconds: number;
    }
  >;
  /** The ConfigMap that `spec.content` names, when it names one; the digest of what it holds, once read. */
  readonly contentSource?: { readonly found: boolean; readonly digest?: string };
  /** The same of the ConfigMap that the content in use was loaded from; looked up only where the way back may need it. */
  readonly currentContentSource?: { readonly found: boolean; readonly digest?: string };
  /** The other PoPs of the region, as the hub's cache has them: they may excuse a version that is watched, and nothing else (P10). */
  readonly neighbours: readonly NeighbourPop[];
  /** True when nodes, pods and the PoPCluster were read from the servers just now: only then may the ledger move. */
  readonly live: boolean;
}

export interface NeighbourPop {
  readonly name: string;
  /** What the whole of it runs; absent while its nodes are being moved, or while nothing is known of it. */
  readonly revision?: string;
  /** What fails there, and since when. */
  readonly checks: readonly Pick<CheckStatus, "name" | "verdict" | "since">[];
}

export interface ObservedPop {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly deleting: boolean;
  readonly finalizers: readonly string[];
  readonly spec: PopClusterSpec;
  readonly status: PopClusterStatus;
  /** What rollouts assign, whether or not a person pinned something else. */
  readonly assignment?: PopAssignment;
  readonly contentAssignment?: PopAssignment;
}

/** `ageMilliseconds`: elapsed since the PoP's own cluster was last reached; 0 while it is. Another cluster under its name is not it. */
export type ObservedSite =
  /** `watchedMilliseconds`: elapsed since when this operator has reached it without a break. */
  | { readonly state: "Reachable"; readonly uid: string; readonly ageMilliseconds: number; readonly watchedMilliseconds: number }
  | { readonly state: "Unreachable"; readonly message: string; readonly ageMilliseconds: number }
  | { readonly state: "CredentialsInvalid"; readonly message: string; readonly ageMilliseconds: number };

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

export interface Member {
  readonly name: string;
  readonly uid: string;
  /** The value of the revision label, when the node has one. */
  readonly label?: string;
  /** The claim annotation as it stands: a token, `released:<token>`, or absent. */
  readonly claim?: string;
  readonly taints: readonly Taint[] | undefined;
  /** False for a node without any annotation: a patch has to make the map first. */
  readonly annotated: boolean;
  readonly unschedulable: boolean;
  /** The Ready condition, as the API server has it. */
  readonly ready: "True" | "False" | "Unknown";
  readonly deleting: boolean;
  readonly address?: string;
  /** Names the boot of the machine, as its kubelet says; another one: it was rebooted. */
  readonly bootID?: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface DataPlanePod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly node: string;
  readonly daemonSetUID: string;
  /** The revision, or `none` for a pod of the adopted DaemonSet. */
  readonly revision: string;
  readonly ready: boolean;
  readonly phase: string;
  readonly deleting: boolean;
  readonly address?: string;
  readonly hostPorts: readonly number[];
  readonly containers: readonly {
    readonly name: string;
    readonly ready: boolean;
    readonly restarts: number;
    readonly waiting?: string;
    readonly message?: string;
    readonly imageID?: string;
    readonly containerID?: string;
  }[];
}

export interface OtherPod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly controller?: string;
}

export interface PullPod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** `<revision>/<node UID>`. */
  readonly key: string;
  readonly over: boolean;
}

export interface ObservedDaemonSet {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly revision: string;
  /** The digest that we wrote beside the template, and the digest of the template as it stands. */
  readonly intact: boolean;
  readonly deleting: boolean;
  readonly resourceVersion: string;
}

export interface ObservedAdoptee {
  readonly name: string;
  readonly uid: string;
  readonly onDelete: boolean;
  readonly excludesOurNodes: boolean;
  readonly observed: boolean;
}

/** A revision, recorded once as an immutable ControllerRevision in the fleet namespace. */
export interface RevisionRecord {
  readonly name: string;
  readonly revision: string;
  readonly version: string;
  readonly template: PodTemplate;
  readonly number: number;
  readonly failed?: { readonly at: string; readonly evidence: string };
}

export interface DrainAnswer {
  readonly verb: "start" | "cancel";
  readonly token: string;
  readonly podUID: string;
  readonly containerID: string;
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;
  readonly ageMilliseconds: number;
  /** Elapsed since this verb and token were first answered with success; a count of sessions must be younger. */
  readonly firstHeardMilliseconds: number | undefined;
  /** Sessions that the instance said it still holds, when its answer tells. */
  readonly sessions?: number;
  /** With what words a start of this token was refused, also after its cancel was answered. */
  readonly refusal?: string;
  readonly message: string;
}
