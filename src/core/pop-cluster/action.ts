import type { HttpEndpoint, PodTemplate } from "../../api/pop-cluster.ts";
import type { Taint } from "./observation.ts";

/** A node as it was seen when the decision was made: every write to it tests these first (rule G5a). */
export interface SeenNode {
  readonly name: string;
  readonly uid: string;
  readonly claim: string | undefined;
  readonly label: string | undefined;
  readonly taints: readonly Taint[] | undefined;
  readonly annotated: boolean;
}

/** The container instance that a drain call means; another one answers 409. */
export interface Instance {
  readonly podUID: string;
  readonly containerID: string;
  readonly address: string;
  /** Its pod, by which it is asked where only the API server leads to it (rule P17). */
  readonly pod: { readonly name: string; readonly namespace: string };
}

/**
 * One effect each, idempotent, and fenced where it touches a node or a data plane. The row of the node table (node-roll) stands
 * beside each.
 */
export type PopAction =
  /** R2, P13 */
  | { readonly kind: "AddFinalizer" }
  | { readonly kind: "RemoveFinalizer" }
  /** R0 */
  | { readonly kind: "DryRunTemplate"; readonly revision: string; readonly version: string; readonly template: PodTemplate }
  | { readonly kind: "RecordRevision"; readonly revision: string; readonly version: string; readonly template: PodTemplate }
  | { readonly kind: "RecordVerdict"; readonly record: string; readonly at: string; readonly evidence: string }
  | {
      readonly kind: "ApplyDaemonSet";
      readonly revision: string;
      readonly version: string;
      readonly template: PodTemplate;
      readonly replaces?: string;
    }
  | { readonly kind: "DeleteDaemonSet"; readonly name: string; readonly uid: string }
  | { readonly kind: "DeleteRecord"; readonly name: string }
  | {
      readonly kind: "PullImages";
      readonly revision: string;
      readonly node: string;
      readonly nodeUID: string;
      readonly images: readonly string[];
    }
  /** R5: claim and taint; also the fence before a verdict (RB), which changes the claim alone when the taint is there. */
  | { readonly kind: "ClaimNode"; readonly node: SeenNode; readonly token: string }
  /** R10 and R6b: the claim ends as `released:<token>` and our taint goes; a give-back also tests the label. */
  | { readonly kind: "ReleaseNode"; readonly node: SeenNode; readonly token: string; readonly giveBack: boolean }
  /** R6 */
  | {
      readonly kind: "StartDrain";
      readonly node: SeenNode;
      readonly token: string;
      readonly sequence: number;
      readonly instance: Instance;
      readonly endpoint: HttpEndpoint;
      readonly leaseSeconds: number;
      /** Ids held now, where the PoP lists them: P11 looks for them afterwards. */ readonly sessions?: readonly string[];
    }
  | {
      readonly kind: "CancelDrain";
      readonly node: SeenNode;
      readonly token: string;
      readonly sequence: number;
      readonly instance: Instance;
      readonly endpoint: HttpEndpoint;
    }
  | {
      readonly kind: "CheckEviction";
      readonly node: SeenNode;
      readonly pod: { readonly name: string; readonly namespace: string; readonly uid: string };
    }
  | {
      readonly kind: "EvictPod";
      readonly node: SeenNode;
      readonly pod: { readonly name: string; readonly namespace: string; readonly uid: string };
    }
  /** R0: a pod that only pulled images has said what it could. */
  | { readonly kind: "DeletePullPod"; readonly pod: { readonly name: string; readonly namespace: string; readonly uid: string } }
  /** R8: the label leaves (or takes the value that selects nothing); with overlap Allowed it moves at once. */
  | {
      readonly kind: "SetLabel";
      readonly row: "LabelOff" | "LabelOn" | "LabelMove" | "Join";
      readonly node: SeenNode;
      readonly token: string | undefined;
      readonly label: string | undefined;
    }
  /** P6: a retry deletes the new pod once. */
  | {
      readonly kind: "DeletePod";
      readonly pod: { readonly name: string; readonly namespace: string; readonly uid: string };
      readonly node: string;
    }
  /** P16: adoption of a data plane that already runs. */
  | { readonly kind: "AdoptDaemonSet"; readonly name: string; readonly uid: string; readonly step: "OnDelete" | "Exclude" }
  /** P15 */
  | {
      readonly kind: "LoadContent";
      readonly node: SeenNode;
      readonly instance: Instance;
      readonly endpoint: HttpEndpoint;
      readonly version: string;
      readonly source: unknown;
    };

/** The acts that take a node out of service: each is sent only with a live list at most 10 s old (rule G5). */
export const DISRUPTIVE: ReadonlySet<PopAction["kind"]> = new Set(["ClaimNode", "StartDrain", "SetLabel", "EvictPod", "DeletePod"]);
