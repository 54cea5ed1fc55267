// The API server's audit log: who did what, from the server's own point of view. Tests count writes in it.
import { readFileSync, writeFileSync } from "node:fs";

/** One request that was answered; the fields that the tests use of an audit.k8s.io/v1 Event. */
export interface AuditEntry {
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
  /** What was sent; only of what `writeAuditPolicy` names. */
  readonly requestObject?: unknown;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/**
 * Each request once, when its answer is complete; a watch therefore appears when it ends. Bodies are logged only where the request alone
 * does not tell what was done: patches of Nodes, and evictions, whose dry run is asked for in the body. `statusBodiesOf`: plurals of our
 * own kinds whose statuses are logged as they were sent; a history is read from them.
 */
export function writeAuditPolicy(path: string, statusBodiesOf: readonly string[] = []): void {
  const statuses = statusBodiesOf.map((plural) => `${plural}/status`);
  const policy = {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived", "ResponseStarted", "Panic"],
    rules: [
      { level: "Request", verbs: ["patch", "create"], resources: [{ group: "", resources: ["nodes", "pods/eviction"] }] },
      ...(statuses.length === 0
        ? []
        : [{ level: "Request", verbs: ["update", "patch"], resources: [{ group: "rollward.dev", resources: statuses }] }]),
      { level: "Metadata" },
    ],
  };
  writeFileSync(path, JSON.stringify(policy));
}

/** What stands in the log; a last line that is still being written is left for the next read. */
export function readAuditLog(path: string): AuditEntry[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line) as AuditEntry);
}

/** True for an entry that changed something, or tried to. */
export function isWrite(entry: AuditEntry): boolean {
  return ["create", "update", "patch", "delete", "deletecollection"].includes(entry.verb);
}
