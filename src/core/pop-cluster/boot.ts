import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import type { Judgement } from "../health/verdict.ts";
import { milliseconds } from "./milliseconds.ts";
import type { DataPlanePod, Member } from "./observation.ts";
import { iso, type Outcome } from "./outcome.ts";
import { judgedPod, type NodeView, type PopView, withEntry } from "./view.ts";

/** The boot that an attempt begins on; it stands in the ledger with a write that is made anyway (P6, P14). */
export const bootOf = ({ bootID }: Member): Pick<PopNodeStatus, "boot"> => (bootID === undefined ? {} : { boot: { id: bootID } });

/**
 * How often each container of the pod exited by itself since the node's last boot, in their order (P6). The kubelet counts every start
 * after the first, also those after a reboot: what was counted when the reboot was seen is not the version's doing, nor is one more,
 * because the pod's own status may come later than the node's.
 */
export function exitsOf(pod: DataPlanePod, boot: PopNodeStatus["boot"]): readonly number[] {
  const rebooted = boot?.pod === pod.uid;
  return pod.containers.map(({ restarts }, index) => (rebooted ? Math.max(0, restarts - (boot.restarts?.[index] ?? 0) - 1) : restarts));
}

/** Writes down that nodes of the run were rebooted: one write for each reboot, none for a node that stays up (P14). */
export function rebooted(view: PopView, now: Instant): Outcome | undefined {
  if (!view.run) return undefined;
  const changed = view.nodes.flatMap((node): PopNodeStatus[] => {
    const { entry, member } = node;
    if (!entry?.boot || member.bootID === undefined || member.bootID === entry.boot.id) return [];
    const pod = judgedPod(view, node);
    if (entry.step !== "Updating" && (!pod || (entry.step !== "Soaking" && entry.step !== "Done"))) return [];
    const counted = pod ? { pod: pod.uid, restarts: pod.containers.map((container) => container.restarts) } : {};
    return [{ ...entry, boot: { id: member.bootID, since: iso(firstBoot(view, entry, now)), ...counted } }];
  });
  if (changed.length === 0) return undefined;
  const { status } = view.seen.pop;
  return { ledger: { ...status, nodes: changed.reduce<readonly PopNodeStatus[]>(withEntry, status.nodes ?? []) as PopNodeStatus[] } };
}

/** A machine that boots again before it was up has no more time than from its first boot (P4). */
function firstBoot(view: PopView, { boot }: PopNodeStatus, now: Instant): Instant {
  const before = boot?.since === undefined ? undefined : Date.parse(boot.since);
  return before !== undefined && now < before + deadlineOf(view) ? before : now;
}

const deadlineOf = (view: PopView): number => milliseconds(view.seen.pop.spec.strategy.perNode.deadline);

/** Until when a node that was rebooted has time to come up again; undefined: it was not, or its time is over. */
export function comesUpUntil(view: PopView, { entry }: Pick<NodeView, "entry">, now: Instant): Instant | undefined {
  const since = entry?.boot?.since;
  const until = since === undefined ? undefined : Date.parse(since) + deadlineOf(view);
  return until !== undefined && now < until ? until : undefined;
}

/**
 * What a node that comes up again says is no evidence against the version while most of its neighbours on it are well (P6, P8). Where
 * several fail together it is: a version may bring machines down. A node without neighbours has time if it had proven itself before.
 */
export function isExcusedByReboot(view: PopView, node: NodeView, judged: ReadonlyMap<string, Judgement>, now: Instant): boolean {
  if (node.entry?.step !== "Soaking" && node.entry?.step !== "Done") return false;
  if (comesUpUntil(view, node, now) === undefined) return false;
  const others = view.nodes.filter(
    (other) =>
      other.member.uid !== node.member.uid &&
      (other.entry?.step === "Soaking" || other.entry?.step === "Done") &&
      judgedPod(view, other) !== undefined,
  );
  if (others.length === 0) return node.entry.step === "Done";
  const isWell = (other: NodeView) => other.member.ready === "True" && judged.get(other.member.uid)?.verdict === "Healthy";
  const isSick = (other: NodeView) => other.member.ready !== "True" || judged.get(other.member.uid)?.verdict === "Unhealthy";
  return others.filter(isWell).length > others.filter(isSick).length;
}
