import { z } from "zod";
import { duration } from "../../api/common.ts";
import { renderMetrics } from "./data-plane-metrics.ts";
import type { DataPlane } from "./data-plane.ts";
import type { DrainAnswer, DrainOrder } from "./drain-ledger.ts";

export interface HttpCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Longer leases than this are a mistake of the asker: a node would stay away for days after the operator died. */
const LONGEST_LEASE_MILLISECONDS = 86_400_000;

const drainBody = z.object({
  token: z.string().min(1).max(64),
  podUID: z.string().min(1).max(64),
  containerID: z.string().min(1).max(256),
  sequence: z.int().min(0).optional(),
});
const startBody = drainBody.extend({ lease: duration() });
const contentBody = z.object({ version: z.string().min(1).max(64), source: z.unknown().optional() });

/**
 * The data plane's own interface (interfaces.md): `POST /drain {token, podUID, containerID, lease, sequence}`, `POST /undrain` {the same
 * without lease}, `GET /sessions` → {node, count, sessions: [id]}, `GET /healthz` (`?content` judges the content too), `GET /metrics`,
 * `GET /content` → {version}, `POST /content {version, source}`. What cannot be read is a 400 with a sentence; a refusal is a 409 with
 * its reason.
 */
export class DataPlaneHttp {
  readonly #plane: DataPlane;
  readonly #requests = new Map<string, number>();

  constructor(plane: DataPlane) {
    this.#plane = plane;
  }

  answer(call: HttpCall): HttpAnswer {
    const [path = "", query = ""] = call.path.split("?", 2);
    const route = ROUTES[`${call.method} ${path}`];
    const answer = route ? route(this.#plane, { ...call, path: query }, this.#requests) : this.#unknown(call.method, path);
    const key = `path="${route ? path : "other"}",code="${answer.status}"`;
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    return answer;
  }

  #unknown(method: string, path: string): HttpAnswer {
    return json(404, { message: `${method} ${path} is not served here; there are ${Object.keys(ROUTES).join(", ")}` });
  }
}

type Route = (plane: DataPlane, call: HttpCall, requests: ReadonlyMap<string, number>) => HttpAnswer;

const ROUTES: Readonly<Record<string, Route>> = {
  "GET /healthz": (plane, { path: query }) => healthz(plane, query),
  "GET /metrics": (plane, _, requests) => ({ status: 200, contentType: "text/plain; version=0.0.4", body: renderMetrics(plane, requests) }),
  "GET /sessions": (plane) => json(200, { node: plane.identity.node, count: plane.sessions.length, sessions: plane.sessions }),
  "POST /drain": (plane, { body }) => drain(plane, body),
  "POST /undrain": (plane, { body }) => undrain(plane, body),
  "GET /content": (plane) => json(200, { version: plane.contentVersion }),
  "POST /content": (plane, { body }) => content(plane, body),
};

function healthz(plane: DataPlane, query: string): HttpAnswer {
  const bad = plane.health !== "Healthy" || (query === "content" && !plane.contentHealthy);
  const status = plane.health === "Starting" ? 503 : bad ? 500 : 200;
  const { node, pop, version, podUID, containerID } = plane.identity;
  return json(status, { health: plane.health, draining: plane.draining, started: plane.started, node, pop, version, podUID, containerID });
}

function drain(plane: DataPlane, body: string): HttpAnswer {
  const order = read(startBody, body);
  if ("status" in order) return order;
  const leaseMilliseconds = milliseconds(order.lease);
  if (leaseMilliseconds < 1_000 || leaseMilliseconds > LONGEST_LEASE_MILLISECONDS) {
    return json(400, { message: `lease is ${order.lease}, write a duration from 1s to 24h` });
  }
  return drained(plane, plane.startDrain(named(order), leaseMilliseconds));
}

function undrain(plane: DataPlane, body: string): HttpAnswer {
  if (!plane.behaviour.cancels) return json(404, { message: "POST /undrain is not served here; a drain ends with its lease" });
  const order = read(drainBody, body);
  return "status" in order ? order : drained(plane, plane.cancelDrain(named(order)));
}

/** Only the fields of an order, and `sequence` absent rather than undefined. */
function named({ token, podUID, containerID, sequence }: z.infer<typeof drainBody>): DrainOrder {
  return sequence === undefined ? { token, podUID, containerID } : { token, podUID, containerID, sequence };
}

function drained(plane: DataPlane, answer: DrainAnswer): HttpAnswer {
  const { draining, drainToken: token } = plane;
  return json(answer.accepted ? 200 : 409, { ...answer, draining, token, sessions: plane.sessions.length });
}

function content(plane: DataPlane, body: string): HttpAnswer {
  const order = read(contentBody, body);
  if ("status" in order) return order;
  if (plane.loadContent(order.version, order.source)) return json(200, { version: plane.contentVersion });
  const message = `Content ${order.version} needs a restart of the data plane; ${plane.contentVersion} stays in use`;
  return json(409, { reason: "NotDisruptionFree", message, version: plane.contentVersion });
}

function read<T extends object>(schema: z.ZodType<T>, body: string): T | HttpAnswer {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return json(400, { message: 'The body is no JSON; write an object like {"token": …}' });
  }
  const result = schema.safeParse(value);
  return result.success ? result.data : json(400, { message: z.prettifyError(result.error) });
}

const json = (status: number, value: unknown): HttpAnswer => ({ status, contentType: "application/json", body: JSON.stringify(value) });

/** Milliseconds of a duration that the schema has accepted. */
function milliseconds(text: string): number {
  const [, hours = "0", minutes = "0", seconds = "0"] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}
