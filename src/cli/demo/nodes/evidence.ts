import { CLAIM_ANNOTATION, RELEASED_PREFIX } from "../../../api/names.ts";
import { readImage } from "../../../simulation/nodes/behaviour.ts";
import type { AuditedCall } from "../ports.ts";

/** What the API server's audit log says of the nodes that somebody took in hand. */
export interface Hands {
  /** How often each node was taken. */
  readonly taken: ReadonlyMap<string, number>;
  /** Most nodes in hand at the same time. */
  readonly most: number;
  /** Still in hand at the end of the log. */
  readonly held: readonly string[];
}

const ANNOTATIONS = "/metadata/annotations";
const CLAIM = `${ANNOTATIONS}/${CLAIM_ANNOTATION.replaceAll("~", "~0").replaceAll("/", "~1")}`;

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** Follows the claims of nodes through the patches that the API server took, in their order. */
export function handsOf(calls: readonly AuditedCall[]): Hands {
  const held = new Map<string, string>();
  const taken = new Map<string, number>();
  let most = 0;
  for (const { verb, objectRef, responseStatus, requestObject } of calls) {
    if (verb !== "patch" || objectRef?.resource !== "nodes" || objectRef.name === undefined || (responseStatus?.code ?? 500) >= 300)
      continue;
    const claim = claimIn(requestObject);
    if (claim === undefined) continue;
    if (claim.startsWith(RELEASED_PREFIX)) held.delete(objectRef.name);
    else if (held.get(objectRef.name) !== claim) {
      held.set(objectRef.name, claim);
      taken.set(objectRef.name, (taken.get(objectRef.name) ?? 0) + 1);
    }
    most = Math.max(most, held.size);
  }
  return { taken, most, held: [...held.keys()].toSorted() };
}

/** The claim that a patch writes; undefined when it writes none. */
function claimIn(patch: unknown): string | undefined {
  if (!Array.isArray(patch)) return undefined;
  const written = (patch as readonly Operation[]).filter(({ op }) => op !== "test");
  const whole = written.find(({ path }) => path === ANNOTATIONS)?.value as Readonly<Record<string, unknown>> | undefined;
  const claim = written.find(({ path }) => path === CLAIM)?.value ?? whole?.[CLAIM_ANNOTATION];
  return typeof claim === "string" ? claim : undefined;
}

/** Whose calls the operator's were, and which of them were refused for want of a right. */
export function operatorCalls(calls: readonly AuditedCall[]): { count: number; users: readonly string[]; forbidden: readonly string[] } {
  const ours = calls.filter(({ userAgent, objectRef }) => userAgent.startsWith("rollward/") && objectRef?.resource !== undefined);
  const ledgers = ours.filter(({ objectRef }) => objectRef?.resource === "popclusters" && objectRef.subresource === "status");
  const users = [...new Set(ledgers.map(({ user }) => user.username))].toSorted();
  const ofOperator = ours.filter(({ user }) => users.includes(user.username));
  const forbidden = ofOperator.filter((call) => call.responseStatus?.code === 403).map(({ verb, requestURI }) => `${verb} ${requestURI}`);
  return { count: ofOperator.length, users, forbidden };
}

/** Versions of the data plane that containerd was told to pull, by its own log, in the order of the first times. */
export function pulled(runtimeLog: string, repository: string): readonly string[] {
  const images = [...runtimeLog.matchAll(/PullImage \\?"([^"\\]+)\\?"/g)].map(([, image = ""]) => readImage(image));
  return [...new Set(images.filter((image) => image.repository === repository).map(({ tag }) => tag))];
}

interface KubeletPods {
  readonly items?: readonly {
    readonly metadata?: { readonly namespace?: string; readonly name?: string };
    readonly status?: {
      readonly containerStatuses?: readonly {
        readonly image?: string;
        readonly imageID?: string;
        readonly state?: { readonly running?: unknown };
      }[];
    };
  }[];
}

/** What a kubelet says of the containers that run on it in a namespace (its own GET /pods): tag and digest of each image. */
export function runningIn(kubeletPods: string, namespace: string): readonly { readonly tag: string; readonly digest: string }[] {
  const { items = [] } = JSON.parse(kubeletPods) as KubeletPods;
  return items
    .filter(({ metadata }) => metadata?.namespace === namespace)
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .filter(({ state }) => state?.running !== undefined)
    .map(({ image = "", imageID = "" }) => ({ tag: readImage(image).tag, digest: imageID.split("@").at(-1) ?? "" }));
}
