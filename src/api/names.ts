/** Names that Rollward writes on objects of others; one place, so that `kubectl get -l` lines in the docs stay true. */

/** The revision label of a node; a kubelet may not set that suffix on its own node (NodeRestriction). */
export const REVISION_LABEL = "rollward.dev.node-restriction.kubernetes.io/revision";
/** The claim annotation of a node (rule G5a): a token, or `released:<token>` once ended; never removed. */
export const CLAIM_ANNOTATION = "rollward.dev/claim";
export const RELEASED_PREFIX = "released:";
/** Our taint (rule P3); `spec.unschedulable` belongs to people. */
export const UPDATING_TAINT = "rollward.dev/updating";
export const POP_LABEL = "rollward.dev/pop";
export const POP_REVISION_LABEL = "rollward.dev/revision";
/** On the namespace of a customer's account: its id. What stands in other namespaces belongs to nobody. */
export const ACCOUNT_LABEL = "rollward.dev/account";
export const FINALIZER = "rollward.dev/claims";
/** On our CRDs: which version they are of (rule I21). */
export const KIND_VERSION = "rollward.dev/version";

/** The value of the revision label for a PoP and revision: it names the PoP, because two PoPs' DaemonSets do not know each other. */
export const revisionLabelValue = (pop: string, revision: string): string => `${pop}-${revision}`;
