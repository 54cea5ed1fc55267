// The API server's audit log: who did what, from the server's own point of view. Tests count writes in it.
import { closeSync, openSync, readSync, writeFileSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";

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
  /** `authorization.k8s.io/decision` tells a call that no role allows (`forbid`) from one that something else refused with 403. */
  readonly annotations?: Readonly<Record<string, string>>;
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

const READ_AT_ONCE = 16 << 20;

/**
 * What stands in the log and `keeps` takes; a last line that is still being written is left for the next read. Read in parts: the log of
 * a hundred thousand objects is longer than a text may be.
 */
export function readAuditLog(path: string, keeps: (entry: AuditEntry) => boolean = () => true): AuditEntry[] {
  const file = openSync(path, "r");
  try {
    const entries: AuditEntry[] = [];
    const part = Buffer.alloc(READ_AT_ONCE);
    let rest = "";
    const decoder = new StringDecoder("utf8");
    for (let size = readSync(file, part); size > 0; size = readSync(file, part)) {
      const lines = (rest + decoder.write(part.subarray(0, size))).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const entry = JSON.parse(line) as AuditEntry;
        if (keeps(entry)) entries.push(entry);
      }
    }
    return entries;
  } finally {
    closeSync(file);
  }
}

/** True for an entry that changed something, or tried to. */
export function isWrite(entry: AuditEntry): boolean {
  return ["create", "update", "patch", "delete", "deletecollection"].includes(entry.verb);
}
