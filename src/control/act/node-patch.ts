import { CLAIM_ANNOTATION, REVISION_LABEL, UPDATING_TAINT } from "../../api/names.ts";
import type { SeenNode } from "../../core/pop-cluster/action.ts";
import type { JsonPatchOperation } from "../ports.ts";

const escape = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
const CLAIM_PATH = `/metadata/annotations/${escape(CLAIM_ANNOTATION)}`;
const LABEL_PATH = `/metadata/labels/${escape(REVISION_LABEL)}`;

/**
 * The fence (rule G5a): every patch of a node begins with what was seen. A late or repeated patch then changes nothing, it is
 * refused with 422. `value: null` stands for absence: only for a node that never bore a claim.
 */
export function fence(node: SeenNode): JsonPatchOperation[] {
  const uid: JsonPatchOperation = { op: "test", path: "/metadata/uid", value: node.uid };
  // Without the map the path cannot be walked at all; setClaim then tests that there is none.
  return node.annotated ? [uid, { op: "test", path: CLAIM_PATH, value: node.claim ?? null }] : [uid];
}

/** Tests the revision label as seen. */
export const labelAsSeen = (node: SeenNode): JsonPatchOperation => ({ op: "test", path: LABEL_PATH, value: node.label ?? null });

/** Writes the claim; a node without any annotation gets the map, and is tested to have none. */
export function setClaim(node: SeenNode, value: string): JsonPatchOperation[] {
  if (node.annotated) return [{ op: "add", path: CLAIM_PATH, value }];
  return [
    { op: "test", path: "/metadata/annotations", value: null },
    { op: "add", path: "/metadata/annotations", value: { [CLAIM_ANNOTATION]: value } },
  ];
}

export function setLabel(node: SeenNode, value: string | undefined): JsonPatchOperation[] {
  if (value !== undefined) return [{ op: "add", path: LABEL_PATH, value }];
  return node.label === undefined ? [] : [{ op: "remove", path: LABEL_PATH }];
}

/** Our taint is there afterwards and everybody else's is as it was: the list is tested as seen, because a patch replaces positions. */
export function addTaint(node: SeenNode, token: string): JsonPatchOperation[] {
  const taints = node.taints ?? [];
  const others = taints.filter((taint) => taint.key !== UPDATING_TAINT);
  const next = [...others, { key: UPDATING_TAINT, value: token, effect: "NoSchedule" }];
  return [
    { op: "test", path: "/spec/taints", value: node.taints ?? null },
    { op: "add", path: "/spec/taints", value: next },
  ];
}

export function removeTaint(node: SeenNode): JsonPatchOperation[] {
  const taints = node.taints ?? [];
  const others = taints.filter((taint) => taint.key !== UPDATING_TAINT);
  if (others.length === taints.length) return [];
  const asSeen: JsonPatchOperation = { op: "test", path: "/spec/taints", value: taints };
  return others.length === 0
    ? [asSeen, { op: "remove", path: "/spec/taints" }]
    : [asSeen, { op: "replace", path: "/spec/taints", value: others }];
}
