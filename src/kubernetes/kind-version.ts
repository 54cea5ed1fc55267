import { KIND_VERSION } from "../api/names.ts";
import { ApiError } from "../control/ports.ts";
import type { Transport } from "./transport.ts";

/** Nothing but the metadata: whole CRDs are hundreds of kilobytes, and only an annotation is asked for. */
const METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/**
 * The version of ours that a CRD in this cluster is of. Undefined where nobody can say: it does not bear one, is not there, or we may not
 * read it. Throws ApiError where the server gave no answer.
 */
export async function kindVersion(transport: Transport, name: string): Promise<string | undefined> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
  try {
    const kind = "CustomResourceDefinition";
    const { metadata } = await transport.request<{ readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }>({
      verb: "get",
      kind,
      title: `${kind} ${name}`,
      method: "GET",
      path,
      accept: METADATA_ONLY,
    });
    return metadata.annotations?.[KIND_VERSION];
  } catch (error) {
    if (error instanceof ApiError && (error.code === 403 || error.code === 404)) return undefined;
    throw error;
  }
}
