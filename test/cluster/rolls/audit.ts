import { type AuditEntry, isWrite } from "../../../tools/control-plane/audit-log.ts";
import type { ClusterWorld } from "./cluster-world.ts";

const APART = new Set(["leases", "events"]);

/** Writes of the operator by the server's own account, oldest first. Lease, Events and dry runs are counted apart (rule P14). */
export function operatorWrites(world: ClusterWorld, since = 0): AuditEntry[] {
  return world.controlPlane.auditEntries().filter((entry) => {
    const at = Date.parse(entry.requestReceivedTimestamp);
    const ours = entry.userAgent.startsWith("rollward/") && isWrite(entry);
    return (
      ours && at >= since && !APART.has(entry.objectRef?.resource ?? "") && !/[?&]dryRun=/.test(entry.requestURI) && !isEviction(entry)
    );
  });
}

const isEviction = (entry: AuditEntry): boolean => entry.objectRef?.subresource === "eviction";
export const succeeded = (entry: AuditEntry): boolean => (entry.responseStatus?.code ?? 500) < 300;
export const isNodePatch = (entry: AuditEntry): boolean => entry.objectRef?.resource === "nodes" && entry.verb === "patch";
export const isStatusWrite = (entry: AuditEntry): boolean =>
  entry.objectRef?.resource === "popclusters" && entry.objectRef.subresource === "status";

/** One line for each write, for the message of a test that fails. */
export const told = (entries: readonly AuditEntry[]): string[] =>
  entries.map(({ verb, objectRef, responseStatus, requestReceivedTimestamp }) =>
    [requestReceivedTimestamp, verb, objectRef?.resource, objectRef?.subresource, objectRef?.name, responseStatus?.code]
      .filter((part) => part !== undefined)
      .join(" "),
  );

/** Patches that the server accepted, by node. */
export function patchesByNode(entries: readonly AuditEntry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { objectRef } of entries.filter((entry) => isNodePatch(entry) && succeeded(entry)))
    counts[objectRef!.name!] = (counts[objectRef!.name!] ?? 0) + 1;
  return counts;
}

/** One operation of a JSON patch. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** The operations of a patch of a Node. */
export const operationsOf = (entry: AuditEntry): readonly PatchOperation[] =>
  Array.isArray(entry.requestObject) ? (entry.requestObject as PatchOperation[]) : [];

/** Was this eviction only asked about? Its body says so, not its address. */
export const isDryRun = (entry: AuditEntry): boolean =>
  (entry.requestObject as { deleteOptions?: { dryRun?: readonly string[] } } | undefined)?.deleteOptions?.dryRun?.includes("All") ?? false;
