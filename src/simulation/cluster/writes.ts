import type { JsonPatchOperation, Kind, WriteOptions } from "../../control/ports.ts";
import { alreadyExists, badRequest, conflict, invalid, notFound } from "./errors.ts";
import { applyJsonPatch } from "./json-patch.ts";
import type { KindDefinition } from "./kinds.ts";
import { metadataCauses } from "./metadata.ts";
import { deepFreeze, dropEmpty, sameJson, timestamp, wireCopy, type RawMeta, type RawObject } from "./objects.ts";
import type { Store } from "./store.ts";

/**
 * Writes as an API server does them: complete, check, compare, store. Each function answers with the object as stored or throws the
 * ApiError; in between nothing else happens, so a write is whole or not at all.
 */

/** @throws 400, 409 AlreadyExists, 422 Invalid */
export function createObject(store: Store, kind: Kind, draft: object, options: WriteOptions = {}): RawObject {
  const definition = store.definition(kind);
  const sent = wireCopy(draft) as RawObject;
  if (sent.metadata?.resourceVersion) throw badRequest("metadata.resourceVersion must not be set on an object to be created");
  if (kind.namespaced && !sent.metadata?.namespace) throw badRequest(`A ${kind.kind} needs metadata.namespace.`);
  const generated = !sent.metadata?.name && sent.metadata?.generateName;
  const name = generated ? sent.metadata.generateName + store.newNameSuffix() : sent.metadata?.name;
  if (!name) throw invalid(kind, "", [{ field: "metadata.name", message: "Required value: a name or generateName is needed" }]);
  const { deletionTimestamp: _, deletionGracePeriodSeconds: __, managedFields: ___, generation: ____, ...rest } = sent.metadata;
  const metadata: RawMeta = {
    ...rest,
    name,
    uid: store.newUid(),
    resourceVersion: "",
    creationTimestamp: store.now(),
    ...(counts(definition) && { generation: 1 }),
  };
  const { status: sentStatus, ...body } = sent;
  const object = complete(definition, { ...body, apiVersion: kind.apiVersion, kind: kind.kind, metadata }, undefined, options);
  const status = definition.statusSubresource ? definition.initialStatus?.(sent) : sentStatus;
  if (status !== undefined) object.status = status;
  check(definition, object, undefined);
  if (store.get(kind, name, metadata.namespace) !== undefined) throw alreadyExists(kind, name);
  return options.dryRun ? deepFreeze(object) : store.put(kind, object);
}

/** @throws 404, 409 Conflict, 422 Invalid */
export function updateObject(store: Store, kind: Kind, object: object, options: WriteOptions = {}): RawObject {
  const sent = wireCopy(object) as RawObject;
  return replace(store, kind, existingFor(store, kind, sent), sent, options);
}

/** @throws 404 (also for a kind without status), 409 Conflict, 422 Invalid */
export function updateObjectStatus(store: Store, kind: Kind, object: object): RawObject {
  const definition = store.definition(kind);
  // What is not taken over is not copied: a fleet's status is written often, and the rest of it may be large.
  const sent = object as RawObject;
  if (!definition.statusSubresource) throw notFound(kind, `${sent.metadata.name}/status`);
  const previous = existingFor(store, kind, sent);
  const metadata = { ...previous.metadata };
  if (definition.metadataWithStatus) {
    for (const field of ["labels", "annotations", "finalizers"] as const) {
      delete metadata[field];
      if (sent.metadata[field] !== undefined) Object.assign(metadata, { [field]: sent.metadata[field] });
    }
  }
  const { status: _, ...rest } = previous;
  const next = complete(definition, { ...rest, metadata, ...(sent.status !== undefined && { status: sent.status }) }, previous, {});
  check(definition, next, previous);
  return commit(store, kind, previous, next, false);
}

/** @throws 404, 409 (the patch changes resourceVersion), 422 (a test fails, or the result is invalid) */
export function patchObject(
  store: Store,
  kind: Kind,
  name: string,
  namespace: string | undefined,
  operations: readonly JsonPatchOperation[],
): RawObject {
  const previous = store.get(kind, name, namespace);
  if (previous === undefined) throw notFound(kind, name);
  const patched = wireCopy(previous);
  applyJsonPatch(patched, wireCopy(operations));
  for (const field of ["name", "namespace", "uid"] as const) {
    if (patched.metadata?.[field] !== previous.metadata[field])
      throw invalid(kind, name, [{ field: `metadata.${field}`, message: "Invalid value: the field is immutable" }]);
  }
  if (patched.metadata.resourceVersion && patched.metadata.resourceVersion !== previous.metadata.resourceVersion) {
    throw conflict(kind, name, "the patch names another resourceVersion than the object has");
  }
  patched.metadata.resourceVersion = previous.metadata.resourceVersion;
  return replace(store, kind, previous, patched, {});
}

/** What the update is for, when it is still what the caller saw. */
function existingFor(store: Store, kind: Kind, sent: RawObject): RawObject {
  const { name, namespace, uid, resourceVersion } = sent.metadata;
  const previous = store.get(kind, name, namespace);
  if (previous === undefined) throw notFound(kind, name);
  if (uid && uid !== previous.metadata.uid)
    throw conflict(kind, name, `its UID is ${previous.metadata.uid}, not ${uid}: it was deleted and created anew`);
  if (!resourceVersion && !store.definition(kind).unconditionalUpdate) {
    throw invalid(kind, name, [{ field: "metadata.resourceVersion", message: "Invalid value: must be specified for an update" }]);
  }
  if (resourceVersion && resourceVersion !== previous.metadata.resourceVersion) {
    throw conflict(
      kind,
      name,
      `somebody wrote it since it was read (resourceVersion ${resourceVersion}, now ${previous.metadata.resourceVersion})`,
    );
  }
  return previous;
}

function replace(store: Store, kind: Kind, previous: RawObject, sent: RawObject, options: WriteOptions): RawObject {
  const definition = store.definition(kind);
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, resourceVersion } = previous.metadata;
  const { managedFields: _, deletionTimestamp: __, deletionGracePeriodSeconds: ___, generation: ____, ...metadata } = sent.metadata;
  Object.assign(metadata, { uid, creationTimestamp, resourceVersion });
  if (deletionTimestamp !== undefined) Object.assign(metadata, { deletionTimestamp, deletionGracePeriodSeconds });
  if (generation !== undefined) Object.assign(metadata, { generation });
  const next = { ...sent, apiVersion: kind.apiVersion, kind: kind.kind, metadata } as RawObject;
  if (definition.statusSubresource) {
    delete next.status;
    if (previous.status !== undefined) next.status = previous.status;
  }
  const completed = complete(definition, next, previous, options);
  check(definition, completed, previous);
  if (generation !== undefined && !sameJson(body(completed), body(previous))) completed.metadata.generation = generation + 1;
  return commit(store, kind, previous, completed, options.dryRun ?? false);
}

/** What a generation counts: all but metadata and status. */
function body(object: RawObject): object {
  const { metadata: _, status: __, ...rest } = object;
  return rest;
}

const counts = (definition: KindDefinition): boolean => definition.generation ?? true;

function complete(definition: KindDefinition, object: RawObject, previous: RawObject | undefined, options: WriteOptions): RawObject {
  const thawed = wireCopy(object);
  const unknown = definition.prune?.(thawed) ?? [];
  if (unknown.length > 0 && options.fieldValidation === "Strict") {
    throw badRequest(`strict decoding: ${unknown.map((path) => `unknown field "${path}"`).join(", ")}`);
  }
  const completed = definition.defaults?.(thawed, previous) ?? thawed;
  dropEmpty(completed.metadata); // metadata is typed for every kind, custom ones too
  return completed;
}

function check(definition: KindDefinition, object: RawObject, previous: RawObject | undefined): void {
  const causes = [...metadataCauses(object.metadata, previous?.metadata), ...(definition.validate?.(object, previous) ?? [])];
  if (causes.length > 0) throw invalid(definition.kind, object.metadata.name, causes);
}

function commit(store: Store, kind: Kind, previous: RawObject, next: RawObject, dryRun: boolean): RawObject {
  // A write that changes nothing is no write: no resourceVersion, no event (rules G11, P14 count on it).
  if (sameJson(previous, next)) return previous;
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = next.metadata;
  if (dryRun) return deepFreeze(next);
  if (deletionTimestamp !== undefined && !deletionGracePeriodSeconds && !finalizers?.length) {
    store.remove(kind, previous);
    return deepFreeze(next);
  }
  return store.put(kind, next);
}

export interface DeleteOptions {
  readonly uid?: string;
  readonly gracePeriodSeconds?: number;
}

/**
 * Marks it as being deleted while it has finalizers or a grace period to run, else removes it. A repeated request can only shorten the
 * grace period; with 0, the kubelet's confirmation, it ends. @throws 404, 409 Conflict when the UID is another one
 */
export function deleteObject(store: Store, kind: Kind, name: string, namespace: string | undefined, options: DeleteOptions = {}): void {
  const previous = store.get(kind, name, namespace);
  if (previous === undefined) throw notFound(kind, name);
  if (options.uid !== undefined && options.uid !== previous.metadata.uid) {
    throw conflict(kind, name, `its UID is ${previous.metadata.uid}, not ${options.uid}: it was deleted and created anew`);
  }
  const marked = markDeleted(store, store.definition(kind), previous, options.gracePeriodSeconds);
  if (marked.metadata.finalizers?.length || marked.metadata.deletionGracePeriodSeconds) {
    if (!sameJson(previous, marked)) store.put(kind, marked);
  } else store.remove(kind, previous);
}

function markDeleted(store: Store, definition: KindDefinition, previous: RawObject, requested: number | undefined): RawObject {
  const marked = wireCopy(previous);
  const { metadata } = marked;
  const now = store.clock.now();
  const running = metadata.deletionGracePeriodSeconds ?? 0;
  if (metadata.deletionTimestamp === undefined) {
    const seconds = definition.gracePeriodSeconds?.(previous, requested) ?? 0;
    metadata.deletionTimestamp = timestamp(now + seconds * 1_000);
    metadata.deletionGracePeriodSeconds = seconds;
    if (metadata.generation !== undefined) metadata.generation++;
  } else if (requested !== undefined && requested < running) {
    const end = Math.max(now, Date.parse(metadata.deletionTimestamp) - (running - requested) * 1_000);
    metadata.deletionTimestamp = timestamp(end);
    metadata.deletionGracePeriodSeconds = requested > 0 && end === now ? 1 : requested;
  }
  return marked;
}
