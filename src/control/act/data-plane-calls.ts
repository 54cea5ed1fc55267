import type { HttpEndpoint } from "../../api/pop-cluster.ts";
import type { Instance, PopAction } from "../../core/pop-cluster/action.ts";
import { urlOf } from "../../core/pop-cluster/health-spec.ts";
import type { throughOf } from "../../core/pop-cluster/reach.ts";
import { cleanText } from "../../core/text.ts";
import type { PopMemory } from "../pop-memory.ts";
import type { DataPlaneAnswer, Prober } from "../ports.ts";

const CALL_TIMEOUT = 2_000;
const CONTENT_TIMEOUT = 10_000;

/** Who is asked, and how: the data plane of one PoP. */
export interface DataPlane {
  readonly prober: Prober;
  readonly through: (pod: Instance["pod"]) => ReturnType<typeof throughOf>;
}

const ask = (
  { prober, through }: DataPlane,
  instance: Instance,
  endpoint: HttpEndpoint,
  call: { readonly body: unknown; readonly timeoutMilliseconds: number },
) => prober.http({ method: "POST", url: urlOf(instance.address, endpoint), ...through(instance.pod), ...call });

/** What an answer is remembered by: its status, or why there is none. Not its body, which would come to stand in a status (rule G12). */
const toldOf = ({ status, body }: DataPlaneAnswer): string => (status === 0 ? cleanText(body, 200) : `answered ${status}`);

/** R6: drain.start, a level with the token; it names the container instance that is meant, another one answers 409. */
export async function startDrain(asked: DataPlane, memory: PopMemory, action: Extract<PopAction, { kind: "StartDrain" }>): Promise<void> {
  const { instance, endpoint, token, sequence, leaseSeconds, sessions } = action;
  if (sessions) memory.holdsSessions(action.node.uid, { token, podUID: instance.podUID, ids: sessions });
  const answer = await ask(asked, instance, endpoint, {
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
    message: toldOf(answer),
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
export async function cancelDrain(asked: DataPlane, memory: PopMemory, action: Extract<PopAction, { kind: "CancelDrain" }>): Promise<void> {
  const { instance, endpoint, token, sequence } = action;
  const answer = await ask(asked, instance, endpoint, {
    body: { token, sequence, podUID: instance.podUID, containerID: instance.containerID },
    timeoutMilliseconds: CALL_TIMEOUT,
  });
  memory.heardDrain(action.node.uid, {
    verb: "cancel",
    token,
    podUID: instance.podUID,
    containerID: instance.containerID,
    status: answer.status,
    message: toldOf(answer),
  });
}

/** P15: content is loaded in the running data plane; nothing restarts. */
export async function loadContent(asked: DataPlane, memory: PopMemory, action: Extract<PopAction, { kind: "LoadContent" }>): Promise<void> {
  const { instance, endpoint, version, source } = action;
  const answer = await ask(asked, instance, endpoint, {
    body: { version, source, podUID: instance.podUID, containerID: instance.containerID },
    timeoutMilliseconds: CONTENT_TIMEOUT,
  });
  memory.askedContent(action.node.uid, {
    podUID: instance.podUID,
    containerID: instance.containerID,
    asked: version,
    status: answer.status,
    message: toldOf(answer),
  });
}
