import type { ContainerStatus, ObjectCondition, PodObject } from "../../control/kinds.ts";

type PodStatus = NonNullable<PodObject["status"]>;

/** The status that a kubelet would write for these containers; instants of conditions that did not change stay. */
export function podStatus(pod: PodObject, containers: readonly ContainerStatus[], address: string, timestamp: string): PodStatus {
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name);
  const ready: Omit<ObjectCondition, "type"> =
    unready.length === 0
      ? { status: "True" }
      : { status: "False", reason: "ContainersNotReady", message: `containers with unready status: [${unready.join(" ")}]` };
  const conditions = pod.status?.conditions ?? [];
  const wanted: readonly ObjectCondition[] = [
    { type: "Initialized", status: "True" },
    { type: "ContainersReady", ...ready },
    { type: "Ready", ...ready },
  ];
  const others = conditions.filter(({ type }) => !wanted.some((condition) => condition.type === type));
  return {
    ...pod.status,
    phase: phase(pod, containers),
    conditions: [...others, ...wanted.map((condition) => sinceWhen(condition, conditions, timestamp))],
    podIP: address,
    podIPs: [{ ip: address }],
    hostIP: address,
    startTime: pod.status?.startTime ?? timestamp,
    containerStatuses: containers,
  };
}

/** Whether the server shows something else than what the node knows, in what others decide on. */
export function isStale(shown: PodStatus | undefined, containers: readonly ContainerStatus[]): boolean {
  const shownReady = shown?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  return shownReady !== containers.every(({ ready }) => ready);
}

function sinceWhen(condition: ObjectCondition, before: readonly ObjectCondition[], timestamp: string): ObjectCondition {
  const same = before.find(({ type, status }) => type === condition.type && status === condition.status);
  return { ...condition, lastTransitionTime: same?.lastTransitionTime ?? timestamp };
}

function phase(pod: PodObject, containers: readonly ContainerStatus[]): NonNullable<PodStatus["phase"]> {
  const ends = containers.map(({ state }) => state?.terminated?.exitCode);
  if (pod.spec.restartPolicy === "Never" && !ends.includes(undefined)) return ends.every((code) => code === 0) ? "Succeeded" : "Failed";
  return containers.every(({ containerID }) => containerID !== undefined) ? "Running" : "Pending";
}
