import {
  CONFIG_MAP,
  CONTROLLER_REVISION,
  DAEMON_SET,
  EVENT,
  LEASE,
  NAMESPACE,
  NODE,
  POD,
  POD_DISRUPTION_BUDGET,
  SECRET,
  type LabelSelector,
} from "../../control/kinds.ts";
import type { Kind } from "../../control/ports.ts";
import type { Cause } from "./errors.ts";
import { dropEmpty, sameJson, textOf, type RawObject } from "./objects.ts";
import { completeHostPorts, completePodSpec, podSpecCauses, pruneUnknownPodFields } from "./pod-template.ts";
import { matchesSelector } from "./selectors.ts";

/** How the store treats one kind. Only `kind` and `statusSubresource` must be said; the rest defaults to what custom resources do. */
export interface KindDefinition {
  readonly kind: Kind;
  /** True: `update` and `patch` leave the status alone, `updateStatus` leaves the rest alone. */
  readonly statusSubresource: boolean;
  /** Counts generations; default true. Nodes, ConfigMaps, Leases … have none. */
  readonly generation?: boolean;
  /** What a created object has as status, given what was sent; default none. */
  readonly initialStatus?: (object: RawObject) => unknown;
  /** Built-in kinds take labels and annotations along with a status write; custom resources do not. Default false. */
  readonly metadataWithStatus?: boolean;
  /** An update without resourceVersion overwrites whatever is there; default false: it is refused. */
  readonly unconditionalUpdate?: boolean;
  /** Returns the object as the server completes it; called on create and on each update, may write into its argument. */
  readonly defaults?: (object: RawObject, previous: RawObject | undefined) => RawObject;
  /** What is wrong with it: a 422 with these causes. */
  readonly validate?: (object: RawObject, previous: RawObject | undefined) => readonly Cause[];
  /** Removes the fields that the kind does not have and returns their paths; with field validation Strict they are a 400. */
  readonly prune?: (object: RawObject) => readonly string[];
  /** Fields for field selectors, beside metadata.name and metadata.namespace. */
  readonly selectableFields?: Readonly<Record<string, (object: RawObject) => string>>;
  /** Seconds between the request to delete and the end; default 0. */
  readonly gracePeriodSeconds?: (object: RawObject, requested: number | undefined) => number;
}

type Fields = Record<string, unknown>;
const specOf = (object: RawObject): Fields => (object.spec ?? {}) as Fields;
const statusOf = (object: RawObject): Fields => (object.status ?? {}) as Fields;

const typed = (object: RawObject): RawObject => {
  dropEmpty(object);
  return object;
};

const node: KindDefinition = {
  kind: NODE,
  statusSubresource: true,
  generation: false,
  metadataWithStatus: true,
  unconditionalUpdate: true,
  // A kubelet registers its node with a status.
  initialStatus: (object) => object.status,
  selectableFields: { "spec.unschedulable": (object) => textOf(specOf(object).unschedulable ?? false) },
  defaults: (object) => {
    object.spec ??= {};
    if (specOf(object).unschedulable === false) delete specOf(object).unschedulable;
    return typed(object);
  },
};

const pod: KindDefinition = {
  kind: POD,
  statusSubresource: true,
  metadataWithStatus: true,
  unconditionalUpdate: true,
  initialStatus: () => ({ phase: "Pending" }),
  selectableFields: {
    "spec.nodeName": (object) => textOf(specOf(object).nodeName),
    "status.phase": (object) => textOf(statusOf(object).phase),
  },
  defaults: (object) => {
    completePodSpec(specOf(object));
    completeHostPorts(specOf(object));
    return typed(object);
  },
  prune: (object) => pruneUnknownPodFields(specOf(object), "spec"),
  validate: (object) => podSpecCauses(specOf(object), "spec"),
  // Nobody runs an unbound or ended pod, so nobody would confirm its end.
  gracePeriodSeconds: (object, requested) => {
    const ended = ["Succeeded", "Failed"].includes(textOf(statusOf(object).phase));
    if (ended || !specOf(object).nodeName) return 0;
    const seconds = requested ?? Number(specOf(object).terminationGracePeriodSeconds ?? 30);
    return seconds < 0 ? 1 : seconds;
  },
};

const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

const daemonSet: KindDefinition = {
  kind: DAEMON_SET,
  statusSubresource: true,
  metadataWithStatus: true,
  unconditionalUpdate: true,
  initialStatus: () => ({ currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }),
  defaults: (object, previous) => {
    const spec = specOf(object);
    const template = (spec.template ??= {}) as { spec?: Fields };
    completePodSpec((template.spec ??= {}));
    spec.revisionHistoryLimit ??= 10;
    const strategy = (spec.updateStrategy ??= {}) as Fields;
    strategy.type ??= "RollingUpdate";
    if (strategy.type === "RollingUpdate")
      strategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...(strategy.rollingUpdate as object | undefined) };
    const completed = typed(object);
    completed.metadata.annotations = { ...completed.metadata.annotations, [TEMPLATE_GENERATION]: templateGeneration(completed, previous) };
    return completed;
  },
  prune: (object) => pruneUnknownPodFields(((specOf(object).template as Fields | undefined)?.spec ?? {}) as Fields, "spec.template.spec"),
  validate: daemonSetCauses,
};

function templateGeneration(object: RawObject, previous: RawObject | undefined): string {
  const before = previous?.metadata.annotations?.[TEMPLATE_GENERATION];
  if (previous === undefined || before === undefined) return "1";
  return sameJson(specOf(previous).template, specOf(object).template) ? before : String(Number(before) + 1);
}

function daemonSetCauses(object: RawObject, previous: RawObject | undefined): Cause[] {
  const { selector, template } = specOf(object) as {
    selector?: LabelSelector;
    template?: { metadata?: { labels?: Record<string, string> }; spec?: Fields };
  };
  const causes = podSpecCauses(template?.spec, "spec.template.spec");
  if (selector === undefined) causes.push({ field: "spec.selector", message: "Required value: say which pods are its own" });
  else if (!matchesSelector(selector, template?.metadata?.labels)) {
    causes.push({ field: "spec.template.metadata.labels", message: "Invalid value: the selector does not match the template's labels" });
  }
  if (template?.spec?.restartPolicy !== "Always") {
    causes.push({ field: "spec.template.spec.restartPolicy", message: "Unsupported value: a DaemonSet's pods restart Always" });
  }
  if (previous !== undefined && !sameJson(selector, specOf(previous).selector)) {
    causes.push({ field: "spec.selector", message: "Invalid value: the field is immutable" });
  }
  return causes;
}

const podDisruptionBudget: KindDefinition = {
  kind: POD_DISRUPTION_BUDGET,
  statusSubresource: true,
  metadataWithStatus: true,
  initialStatus: () => ({ currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }),
  defaults: typed,
  validate: (object) => {
    const both = specOf(object).minAvailable !== undefined && specOf(object).maxUnavailable !== undefined;
    return both ? [{ field: "spec", message: "Invalid value: minAvailable and maxUnavailable exclude each other" }] : [];
  },
};

const immutableField =
  (field: string, isFixed: (previous: RawObject) => boolean) =>
  (object: RawObject, previous: RawObject | undefined): Cause[] =>
    previous === undefined || !isFixed(previous) || sameJson(object[field], previous[field])
      ? []
      : [{ field, message: "Invalid value: the field is immutable" }];

const plain = (kind: Kind, more: Partial<KindDefinition> = {}): KindDefinition => ({
  kind,
  statusSubresource: false,
  generation: false,
  unconditionalUpdate: true,
  defaults: typed,
  ...more,
});

const secret = plain(SECRET, {
  defaults: (object) => typed({ ...object, type: object.type ?? "Opaque" }),
  validate: immutableField("data", (previous) => previous.immutable === true),
});

/** The kinds of Kubernetes itself that the world needs. */
export const BUILT_IN_KINDS: readonly KindDefinition[] = [
  node,
  pod,
  daemonSet,
  podDisruptionBudget,
  secret,
  plain(CONFIG_MAP, { validate: immutableField("data", (previous) => previous.immutable === true) }),
  plain(CONTROLLER_REVISION, { validate: immutableField("data", () => true), defaults: (object) => object }),
  plain(LEASE, { unconditionalUpdate: false }),
  plain(EVENT),
  plain(NAMESPACE, { statusSubresource: true, metadataWithStatus: true, initialStatus: () => ({ phase: "Active" }) }),
];
