import { ApiError, type Kind, type KubernetesObject, type ListOptions } from "../control/ports.ts";
import { objectTitle, resourcePath } from "./resource-path.ts";
import type { Transport } from "./transport.ts";

const PAGE_SIZE = 500;
/** How often a list whose later pages expired is begun again before the failure is reported. */
const RESTARTS = 3;

interface Page<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  /** The Go encoder writes an empty list of some kinds as null. */
  readonly items: readonly T[] | null;
}

export interface ListTarget<T> {
  /** What was given so far is void: the list begins again. */
  restart(): void;
  object(object: T): void;
}

/**
 * Reads a whole consistent list in pages and gives its objects to `target`; answers the version of the list. Items of a list
 * carry no apiVersion and kind of their own; they get them here, so that a listed object looks like a watched one. Throws ApiError.
 */
export async function listPages<T extends KubernetesObject>(
  transport: Transport,
  kind: Kind<T>,
  options: ListOptions,
  target: ListTarget<T>,
  deadlineMilliseconds?: number,
): Promise<string> {
  let next: string | undefined;
  let restarts = 0;
  for (;;) {
    let page: Page<T>;
    try {
      page = await transport.request<Page<T>>({
        verb: "list",
        kind: kind.kind,
        title: objectTitle(kind, options.namespace, undefined),
        method: "GET",
        path: resourcePath(kind, options.namespace),
        query: { limit: PAGE_SIZE, continue: next, labelSelector: options.labelSelector, fieldSelector: options.fieldSelector },
        ...(deadlineMilliseconds === undefined ? {} : { deadlineMilliseconds }),
      });
    } catch (error) {
      const expired = error instanceof ApiError && error.code === 410 && next !== undefined;
      if (!expired || ++restarts > RESTARTS) throw error;
      next = undefined;
      target.restart();
      continue;
    }
    for (const item of page.items ?? []) target.object(item.kind ? item : { ...item, apiVersion: kind.apiVersion, kind: kind.kind });
    if (!page.metadata.continue) return page.metadata.resourceVersion;
    next = page.metadata.continue;
  }
}
