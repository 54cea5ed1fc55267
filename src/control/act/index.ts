import type { PopAction } from "../../core/pop-cluster/action.ts";
import { throughOf } from "../../core/pop-cluster/reach.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import { type ControllerRevisionObject, type DaemonSetObject, type NodeObject, POD } from "../kinds.ts";
import type { PopMemory } from "../pop-memory.ts";
import type { Cluster, Prober } from "../ports.ts";
import { adoptDaemonSet } from "./adopt-daemon-set.ts";
import { claimNode } from "./claim-node.ts";
import { cancelDrain, type DataPlane, loadContent, startDrain } from "./data-plane-calls.ts";
import { checkEviction, evictPod } from "./evict.ts";
import { setFinalizer } from "./finalizer.ts";
import { pullImages } from "./pull-images.ts";
import { releaseNode } from "./release-node.ts";
import { applyDaemonSet, deleteDaemonSet, deleteRecord, dryRunTemplate, recordRevision, recordVerdict } from "./revision.ts";
import { setLabel } from "./set-label.ts";

/** Where the effects of one PoP go. */
export interface PopWorld {
  readonly hub: Cluster;
  readonly site: Cluster;
  /** Of the site; empty where it is not there. */
  readonly siteUID: string;
  readonly prober: Prober;
  readonly memory: PopMemory;
  readonly pop: PopCluster;
  /** The number that the next record gets. */
  readonly nextRecord: number;
}

/** What an act changed: objects as the server's answer shows them (none: nothing that stands on the server). Undefined: to be read anew. */
export interface Changed {
  readonly pop?: PopCluster;
  readonly node?: NodeObject;
  readonly daemonSet?: DaemonSetObject;
  readonly record?: ControllerRevisionObject;
}

/** Every action has exactly one act; a new kind of action does not compile before it has one here. */
export async function act(world: PopWorld, action: PopAction): Promise<Changed | undefined> {
  const { hub, site, memory, pop } = world;
  const place = placeOf(pop);
  switch (action.kind) {
    case "ClaimNode":
      return { node: await claimNode(site, action) };
    case "ReleaseNode":
      return { node: await releaseNode(site, action) };
    case "SetLabel":
      return { node: await setLabel(site, action) };
    case "StartDrain":
      await startDrain(dataPlaneOf(world), memory, action);
      return {};
    case "CheckEviction":
      await checkEviction(site, memory, action);
      return {};
    case "AddFinalizer":
      return { pop: await setFinalizer(hub, pop, true) };
    case "DryRunTemplate":
      await dryRunTemplate(site, memory, place, action);
      return {};
    case "RecordRevision": {
      const record = await recordRevision(hub, place, action, world.nextRecord);
      return record && { record };
    }
    case "ApplyDaemonSet": {
      const daemonSet = await applyDaemonSet(site, place, action);
      return daemonSet && { daemonSet };
    }
    default:
      await actElsewhere(world, action);
      return undefined;
  }
}

type Told =
  | "ClaimNode"
  | "ReleaseNode"
  | "SetLabel"
  | "StartDrain"
  | "CheckEviction"
  | "AddFinalizer"
  | "DryRunTemplate"
  | "RecordRevision"
  | "ApplyDaemonSet";
type Elsewhere = Exclude<PopAction, { readonly kind: Told }>;

const placeOf = (pop: PopCluster) => ({
  pop: pop.metadata.name,
  fleetNamespace: pop.metadata.namespace ?? "",
  dataPlaneNamespace: pop.spec.dataPlaneNamespace,
});

const dataPlaneOf = ({ prober, pop, siteUID }: PopWorld): DataPlane => ({
  prober,
  through: (pod) => throughOf({ namespace: pop.metadata.namespace ?? "", spec: pop.spec }, siteUID, pod),
});

/** The acts after which everything is read anew. */
async function actElsewhere(world: PopWorld, action: Elsewhere): Promise<void> {
  const { hub, site, memory, pop } = world;
  const place = placeOf(pop);
  switch (action.kind) {
    case "RemoveFinalizer":
      return void (await setFinalizer(hub, pop, false));
    case "RecordVerdict":
      return recordVerdict(hub, place, action);
    case "DeleteDaemonSet":
      return deleteDaemonSet(site, place, action);
    case "DeleteRecord":
      return deleteRecord(hub, place, action);
    case "PullImages":
      return pullImages(site, memory, place, action);
    case "DeletePullPod":
      return site.delete(POD, action.pod.name, action.pod.namespace, { uid: action.pod.uid });
    case "CancelDrain":
      return cancelDrain(dataPlaneOf(world), memory, action);
    case "EvictPod":
      return evictPod(site, memory, action);
    case "DeletePod":
      return site.delete(POD, action.pod.name, action.pod.namespace, { uid: action.pod.uid });
    case "AdoptDaemonSet":
      return adoptDaemonSet(site, place.dataPlaneNamespace, action);
    case "LoadContent":
      return loadContent(dataPlaneOf(world), memory, action);
  }
}
