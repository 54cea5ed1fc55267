import { urlOf } from "../../core/pop-cluster/health-spec.ts";
import type { PopAction } from "../../core/pop-cluster/action.ts";
import { firstLine } from "../../core/text.ts";
import type { PopMemory } from "../pop-memory.ts";
import type { Prober } from "../ports.ts";

const CALL_TIMEOUT = 2_000;
const CONTENT_TIMEOUT = 10_000;

/** R6: drain.start, a level with the token; it names the container instance that is meant, another one answers 409. */
export async function startDrain(prober: Prober, memory: PopMemory, action: Extract<PopAction, { kind: "StartDrain" }>): Promise<void> {
  const { instance, endpoint, token, sequence, leaseSeconds, sessions } = action;
  if (sessions) memory.holdsSessions(action.node.uid, { token, podUID: instance.podUID, ids: sessions });
  const answer = await prober.http({
    method: "POST",
    url: urlOf(instance.address, endpoint),
    body: { token, sequence, podUID: instance.podUID, containerID: instance.containerID, lease: `${Math.round(leaseSeconds)}s` },
    timeoutMilliseconds: CALL_TIMEOUT,
  });
  const left = sessionsLeft(answer.body);
  memory.heardDrain(action.node.uid, {
    verb: "start",
    token,
    podUID: instance.podUID,
    containerID: instance.containerID,
    status: answer.status,
    message: firstLine(answer.body, 200),
    ...(left === undefined ? {} : { sessions: left }),
  });
}

/** A data plane may tell with its answer how many sessions it still holds; that spares waiting for the next scrape. */
function sessionsLeft(body: string): number | undefined {
  try {
    const { sessions } = JSON.parse(body) as { sessions?: unknown };
    return typeof sessions === "number" && Number.isInteger(sessions) && sessions >= 0 ? sessions : undefined;
  } catch {
    return undefined;
  }
}

/** R6b: drain.cancel, repeated until the instance answered or is gone. */
export async function cancelDrain(prober: Prober, memory: PopMemory, action: Extract<PopAction, { kind: "CancelDrain" }>): Promise<void> {
  const { instance, endpoint, token, sequence } = action;
  const answer = await prober.http({
    method: "POST",
    url: urlOf(instance.address, endpoint),
    body: { token, sequence, podUID: instance.podUID, containerID: instance.containerID },
    timeoutMilliseconds: CALL_TIMEOUT,
  });
  memory.heardDrain(action.node.uid, {
    verb: "cancel",
    token,
    podUID: instance.podUID,
    containerID: instance.containerID,
    status: answer.status,
    message: firstLine(answer.body, 200),
  });
}

/** P15: content is loaded in the running data plane; nothing restarts. */
export async function loadContent(prober: Prober, memory: PopMemory, action: Extract<PopAction, { kind: "LoadContent" }>): Promise<void> {
  const { instance, endpoint, version, source } = action;
  const answer = await prober.http({
    method: "POST",
    url: urlOf(instance.address, endpoint),
    body: { version, source, podUID: instance.podUID, containerID: instance.containerID },
    timeoutMilliseconds: CONTENT_TIMEOUT,
  });
  memory.askedContent(action.node.uid, {
    podUID: instance.podUID,
    containerID: instance.containerID,
    asked: version,
    status: answer.status,
    message: firstLine(answer.body, 200),
  });
}
