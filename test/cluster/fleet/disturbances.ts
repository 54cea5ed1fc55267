// An independent count of what a PoP's users could feel, read from the API server's audit log alone: writes of anybody that move a
// node's labels or taints, and pods that came or went. It knows the project's code in nothing.
import { readFileSync } from "node:fs";

interface Entry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly subresource?: string; readonly name?: string };
  readonly requestObject?: unknown;
  readonly responseStatus?: { readonly code: number };
  readonly requestReceivedTimestamp: string;
}

/** One sentence for each such write since the instant (milliseconds since the epoch); refused ones too, for they were tried. */
export function disturbancesSince(auditLog: string, since: number): string[] {
  const lines = readFileSync(auditLog, "utf8").split("\n").slice(0, -1);
  return lines
    .map((line) => JSON.parse(line) as Entry)
    .filter((entry) => Date.parse(entry.requestReceivedTimestamp) >= since && (movesNode(entry) || movesPods(entry)))
    .map(({ requestReceivedTimestamp, user, verb, objectRef, requestObject }) =>
      [
        requestReceivedTimestamp,
        user.username,
        verb,
        objectRef?.resource,
        objectRef?.subresource,
        objectRef?.name,
        JSON.stringify(requestObject),
      ]
        .filter((part) => part !== undefined)
        .join(" "),
    );
}

/** How many entries there are at all since then: a log that is empty would prove nothing. */
export const entriesSince = (auditLog: string, since: number): number =>
  readFileSync(auditLog, "utf8")
    .split("\n")
    .slice(0, -1)
    .filter((line) => Date.parse((JSON.parse(line) as Entry).requestReceivedTimestamp) >= since).length;

/** Bodies stand in the log for patches; an update carries the whole node and counts whatever it changed. */
function movesNode({ verb, objectRef, requestObject }: Entry): boolean {
  if (objectRef?.resource !== "nodes" || objectRef.subresource !== undefined) return false;
  if (verb === "patch") return /labels|taints|unschedulable|rollward\.dev/.test(JSON.stringify(requestObject ?? "labels"));
  return ["create", "update", "delete", "deletecollection"].includes(verb);
}

function movesPods({ verb, objectRef }: Entry): boolean {
  if (objectRef?.resource !== "pods") return false;
  if (objectRef.subresource === "eviction") return true;
  return objectRef.subresource === undefined && ["create", "update", "patch", "delete", "deletecollection"].includes(verb);
}
