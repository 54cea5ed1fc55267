import type { PopAction } from "../../core/pop-cluster/action.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import { POD } from "../kinds.ts";
import type { PopMemory } from "../pop-memory.ts";
import type { Cluster, Prober } from "../ports.ts";
import { adoptDaemonSet } from "./adopt-daemon-set.ts";
import { claimNode } from "./claim-node.ts";
import { cancelDrain, loadContent, startDrain } from "./data-plane-calls.ts";
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
  readonly prober: Prober;
  readonly memory: PopMemory;
  readonly pop: PopCluster;
  /** The number that the next record gets. */
  readonly nextRecord: number;
}

/** Every action has exactly one act; a new kind of action does not compile before it has one here. */
export function act(world: PopWorld, action: PopAction): Promise<void> {
  const { hub, site, prober, memory, pop } = world;
  const place = { pop: pop.metadata.name, fleetNamespace: pop.metadata.namespace ?? "", dataPlaneNamespace: pop.spec.dataPlaneNamespace };
  switch (action.kind) {
    case "AddFinalizer":
      return setFinalizer(hub, pop, true);
    case "RemoveFinalizer":
      return setFinalizer(hub, pop, false);
    case "DryRunTemplate":
      return dryRunTemplate(site, memory, place, action);
    case "RecordRevision":
      return recordRevision(hub, place, action, world.nextRecord);
    case "RecordVerdict":
      return recordVerdict(hub, place, action);
    case "ApplyDaemonSet":
      return applyDaemonSet(site, place, action);
    case "DeleteDaemonSet":
      return deleteDaemonSet(site, place, action);
    case "DeleteRecord":
      return deleteRecord(hub, place, action);
    case "PullImages":
      return pullImages(site, memory, place, action);
    case "ClaimNode":
      return claimNode(site, action);
    case "ReleaseNode":
      return releaseNode(site, action);
    case "StartDrain":
      return startDrain(prober, memory, action);
    case "CancelDrain":
      return cancelDrain(prober, memory, action);
    case "CheckEviction":
      return checkEviction(site, memory, action);
    case "EvictPod":
      return evictPod(site, action);
    case "SetLabel":
      return setLabel(site, action);
    case "DeletePod":
      return site.delete(POD, action.pod.name, action.pod.namespace, { uid: action.pod.uid });
    case "AdoptDaemonSet":
      return adoptDaemonSet(site, place.dataPlaneNamespace, action);
    case "LoadContent":
      return loadContent(prober, memory, action);
  }
}
