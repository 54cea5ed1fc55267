import type { Kind } from "../../control/ports.ts";
import type { OwnerReference, RawObject } from "./objects.ts";
import type { Store } from "./store.ts";
import { deleteObject } from "./writes.ts";

const COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector";

/**
 * Deletes objects whose owners are all gone, in the background, as the garbage collector does: an owner is gone when no object has its
 * kind, name, namespace *and* UID. Answers with its end.
 */
export function collectGarbage(store: Store, options: { readonly delayMilliseconds?: number } = {}): () => void {
  const delay = options.delayMilliseconds ?? 50;
  const pending = new Set<() => void>();
  const look = (kind: Kind, { metadata: { name, namespace, uid } }: RawObject): void => {
    const cancel = store.clock.after(delay, () => {
      pending.delete(cancel);
      const now = store.get(kind, name, namespace);
      if (now !== undefined && now.metadata.uid === uid && isOrphan(store, now)) remove(store, kind, now);
    });
    pending.add(cancel);
  };
  const unsubscribe = store.subscribe(({ type, kind, object }) => {
    if (type === "ADDED" && object.metadata.ownerReferences !== undefined) look(kind, object);
    if (type !== "DELETED") return;
    for (const { kind: dependents } of store.definitions()) {
      for (const dependent of store.list(dependents)) {
        if (dependent.metadata.ownerReferences?.some((owner) => owner.uid === object.metadata.uid)) look(dependents, dependent);
      }
    }
  });
  return () => {
    unsubscribe();
    for (const cancel of pending) cancel();
  };
}

function isOrphan(store: Store, object: RawObject): boolean {
  const owners = object.metadata.ownerReferences ?? [];
  return owners.length > 0 && object.metadata.deletionTimestamp === undefined && owners.every((owner) => isGone(store, owner, object));
}

function isGone(store: Store, owner: OwnerReference, dependent: RawObject): boolean {
  const kind = store
    .definitions()
    .find((definition) => definition.kind.kind === owner.kind && definition.kind.apiVersion === owner.apiVersion)?.kind;
  // A kind that the store does not know can hold no objects; the real collector waits for such a kind to appear.
  if (kind === undefined) return false;
  return store.get(kind, owner.name, kind.namespaced ? dependent.metadata.namespace : undefined)?.metadata.uid !== owner.uid;
}

function remove(store: Store, kind: Kind, { metadata: { name, namespace, uid } }: RawObject): void {
  deleteObject(store, kind, name, namespace, { uid });
  store.audit.push({
    at: store.clock.now(),
    user: COLLECTOR,
    verb: "delete",
    kind: kind.kind,
    name,
    namespace,
    subresource: undefined,
    dryRun: false,
    code: 200,
    resourceVersion: store.resourceVersion,
  });
}
