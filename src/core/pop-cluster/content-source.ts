import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import type { ContentSource } from "../../api/pop-content.ts";
import type { PopView } from "./view.ts";

type ContentStatus = NonNullable<PopClusterStatus["content"]>;
/** Where a content version came from: what the spec named then, and the digest of what its ConfigMap held. */
export type KeptSource = NonNullable<ContentStatus["source"]>;

/** The content that a person pinned, or else a rollout assigned, with where it comes from (P15). */
export function wantedContent(view: PopView): { readonly version: string; readonly source?: ContentSource | undefined } | undefined {
  const { content } = view.seen.pop.spec;
  if (content?.version !== undefined) return { version: content.version, source: content.source };
  const { contentAssignment: assigned } = view;
  return assigned && { version: assigned.version, source: assigned.source };
}

/** The source that is named now, with the digest of its ConfigMap as it is now; it is kept beside the version that is loaded from it. */
export function sourceNow(view: PopView): KeptSource | undefined {
  const source = wantedContent(view)?.source;
  const digest = source?.configMapRef && view.seen.contentSource?.digest;
  return source && { ...source, ...(digest ? { digest } : {}) };
}

/**
 * What is told with a load of this version: what it was, or is being, loaded from. The source that is named speaks for the version wanted alone;
 * on the way back only the ledger knows where the version before came from (P15).
 */
export function sourceOf(view: PopView, version: string): KeptSource | undefined {
  const { status } = view.seen.pop;
  const kept = version === status.content?.current ? status.content.source : status.content?.targetSource;
  return kept ?? (version === wantedContent(view)?.version ? sourceNow(view) : undefined);
}

/**
 * Why the source of the content in use cannot bring that content any more: its ConfigMap is gone or holds something else by now. The data
 * plane is asked for the version all the same: it had it, and knows better than we do whether it still has.
 */
export function sourceLost(view: PopView): string | undefined {
  const { current, source } = view.seen.pop.status.content ?? {};
  const name = source?.configMapRef?.name;
  const found = view.seen.currentContentSource;
  if (current === undefined || name === undefined || found === undefined) return undefined;
  const lost = `ConfigMap ${name}, which content ${current} was loaded from,`;
  if (!found.found) return `${lost} is gone; the data plane is asked for the version that it had`;
  if (source?.digest === undefined || found.digest === undefined || found.digest === source.digest) return undefined;
  return `${lost} holds something else by now; the data plane is asked for the version that it had`;
}
