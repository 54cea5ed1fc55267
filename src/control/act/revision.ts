import { POP_LABEL, POP_REVISION_LABEL } from "../../api/names.ts";
import type { PopAction } from "../../core/pop-cluster/action.ts";
import { daemonSetName, GENERATION_ANNOTATION, renderDaemonSet } from "../../core/pop-cluster/daemon-set.ts";
import { cleanText } from "../../core/text.ts";
import { CONTROLLER_REVISION, type ControllerRevisionObject, DAEMON_SET, type DaemonSetObject } from "../kinds.ts";
import { FAILED_AT_ANNOTATION, FAILED_EVIDENCE_ANNOTATION } from "../observe/revision-records.ts";
import type { PopMemory } from "../pop-memory.ts";
import { ApiError, type Cluster, type Draft } from "../ports.ts";

interface Place {
  readonly pop: string;
  readonly fleetNamespace: string;
  readonly dataPlaneNamespace: string;
}

const draftOf = (
  place: Place,
  action: { revision: string; version: string; template: Parameters<typeof renderDaemonSet>[4] },
): Draft<DaemonSetObject> =>
  renderDaemonSet(
    place.pop,
    place.dataPlaneNamespace,
    action.revision,
    action.version,
    action.template,
  ) as unknown as Draft<DaemonSetObject>;

/** R0: the API server's strict dry run of the DaemonSet that would run the template; a refusal is an answer, not an error. */
export async function dryRunTemplate(
  site: Cluster,
  memory: PopMemory,
  place: Place,
  action: Extract<PopAction, { kind: "DryRunTemplate" }>,
): Promise<void> {
  const draft = draftOf(place, action);
  try {
    await site.create(DAEMON_SET, draft, { dryRun: true, fieldValidation: "Strict" });
    memory.triedTemplate(action.revision, { accepted: true, message: "" });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // It stands already, by an earlier dry run of ours: nothing speaks against the template.
    if (error.code === 409) return memory.triedTemplate(action.revision, { accepted: true, message: "" });
    if (error.code !== 400 && error.code !== 403 && error.code !== 404 && error.code !== 422) throw error;
    const causes = error.causes.map((cause) => `${cause.field ?? ""} ${cause.message}`.trim()).join("; ");
    memory.triedTemplate(action.revision, { accepted: false, message: cleanText(causes || error.message, 600) });
  }
}

/** One immutable ControllerRevision a revision; a second attempt finds it there. */
export async function recordRevision(
  hub: Cluster,
  place: Place,
  action: Extract<PopAction, { kind: "RecordRevision" }>,
  number: number,
): Promise<ControllerRevisionObject | undefined> {
  const record = {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: daemonSetName(place.pop, action.revision),
      namespace: place.fleetNamespace,
      labels: { [POP_LABEL]: place.pop, [POP_REVISION_LABEL]: action.revision, "app.kubernetes.io/managed-by": "rollward" },
    },
    revision: number,
    data: { version: action.version, template: action.template },
  };
  return unlessThere(hub.create(CONTROLLER_REVISION, record as unknown as Draft<ControllerRevisionObject>));
}

/** G8: the verdict stands on the record too; an empty one takes it off. */
export async function recordVerdict(
  hub: Cluster,
  place: Place,
  { record, at, evidence }: Extract<PopAction, { kind: "RecordVerdict" }>,
): Promise<void> {
  const found = await hub.get(CONTROLLER_REVISION, record, place.fleetNamespace);
  if (!found) return;
  const { [FAILED_AT_ANNOTATION]: _, [FAILED_EVIDENCE_ANNOTATION]: __, ...others } = found.metadata.annotations ?? {};
  const annotations = at ? { ...others, [FAILED_AT_ANNOTATION]: at, [FAILED_EVIDENCE_ANNOTATION]: evidence } : others;
  await hub.update(CONTROLLER_REVISION, { ...found, metadata: { ...found.metadata, annotations } });
}

/**
 * Makes the DaemonSet of a revision, or puts one that was edited by hand back to the record. OnDelete: that restarts no pod. The
 * generation that our write will have is written with it, so that the next hand edit shows.
 */
export async function applyDaemonSet(
  site: Cluster,
  place: Place,
  action: Extract<PopAction, { kind: "ApplyDaemonSet" }>,
): Promise<DaemonSetObject | undefined> {
  const draft = draftOf(place, action);
  if (!action.replaces) return unlessThere(site.create(DAEMON_SET, draft));
  const found = await site.get(DAEMON_SET, action.replaces, place.dataPlaneNamespace);
  if (!found) return undefined;
  const generation = String((found.metadata.generation ?? 0) + 1);
  const annotations = { ...found.metadata.annotations, [GENERATION_ANNOTATION]: generation };
  return site.update(DAEMON_SET, { ...found, metadata: { ...found.metadata, annotations }, spec: draft.spec });
}

export async function deleteDaemonSet(
  site: Cluster,
  place: Place,
  { name, uid }: Extract<PopAction, { kind: "DeleteDaemonSet" }>,
): Promise<void> {
  await site.delete(DAEMON_SET, name, place.dataPlaneNamespace, { uid });
}

export async function deleteRecord(hub: Cluster, place: Place, { name }: Extract<PopAction, { kind: "DeleteRecord" }>): Promise<void> {
  await hub.delete(CONTROLLER_REVISION, name, place.fleetNamespace);
}

/** What was made; undefined when it stood there already. */
async function unlessThere<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
    return undefined;
  }
}
