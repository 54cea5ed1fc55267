import { createHash } from "node:crypto";
import type { PopCluster } from "../../api/pop-cluster.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import type { PopAssignment } from "../../core/rollout/assignment.ts";
import type { PopClusterObservation } from "../../core/pop-cluster/observation.ts";
import { CONFIG_MAP, type ConfigMapObject } from "../kinds.ts";
import type { Cluster } from "../ports.ts";

export type ContentSources = Pick<PopClusterObservation, "contentSource" | "currentContentSource">;

/** Nobody watches these ConfigMaps: until the next live read the one that the spec names is taken to be there. */
export const assumedContentSources = (pop: PopCluster, assigned: PopAssignment | undefined): ContentSources =>
  wantedOf(pop, assigned)?.source?.configMapRef ? { contentSource: { found: true } } : {};

/** What a person pinned wins (P15). */
function wantedOf({ spec: { content } }: PopCluster, assigned: PopAssignment | undefined) {
  if (content?.version !== undefined) return { version: content.version, source: content.source };
  return content && assigned && { version: assigned.version, source: assigned.source };
}

/** The ConfigMaps of the content that is wanted and, while that is another one, of the content in use (P15). */
export async function readContentSources(hub: Cluster, pop: PopCluster, assigned: PopAssignment | undefined): Promise<ContentSources> {
  const content = wantedOf(pop, assigned);
  const kept = pop.status?.content;
  const wanted = content?.source?.configMapRef?.name;
  const current = kept?.current !== undefined && kept.current !== content?.version ? kept.source?.configMapRef?.name : undefined;
  const names = [...new Set([wanted, current])].filter((name) => name !== undefined);
  const read = async (name: string) => [name, await hub.get(CONFIG_MAP, name, pop.metadata.namespace)] as const;
  const found = new Map(await Promise.all(names.map(read)));
  return {
    ...(wanted === undefined ? {} : { contentSource: sourceSeen(found.get(wanted)) }),
    ...(current === undefined ? {} : { currentContentSource: sourceSeen(found.get(current)) }),
  };
}

function sourceSeen(found: ConfigMapObject | undefined): { readonly found: boolean; readonly digest?: string } {
  if (!found) return { found: false };
  const { data = {}, binaryData = {} } = found;
  return { found: true, digest: `sha256:${createHash("sha256").update(canonicalJson({ binaryData, data })).digest("hex")}` };
}
