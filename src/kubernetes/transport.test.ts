import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { KubeConfig } from "@kubernetes/client-node";
import { afterEach, describe, expect, test } from "vitest";
import { FakeApiServer, type Handler, json, reset, status } from "../../test/kubernetes/fake-api-server.ts";
import { selfSigned } from "../../test/kubernetes/self-signed.ts";
import { RealClock } from "../control/clock/real-clock.ts";
import { ApiError } from "../control/ports.ts";
import type { Call } from "./call.ts";
import { Transport, type TransportSettings } from "./transport.ts";

const GET: Call = { verb: "get", kind: "Thing", title: "Thing a", method: "GET", path: "/apis/x/v1/things/a" };
const POST: Call = { verb: "create", kind: "Thing", title: "Thing a", method: "POST", path: "/apis/x/v1/things", body: { a: 1 } };

const open: { stop?: () => Promise<void>; close?: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await (one.stop?.() ?? one.close?.());
});

async function bench(
  handler: Handler,
  settings: Partial<TransportSettings> = {},
): Promise<{ server: FakeApiServer; kubeconfig: KubeConfig; transport: Transport }> {
  const server = await FakeApiServer.start(handler);
  const kubeconfig = server.kubeconfig();
  const transport = new Transport({
    kubeconfig,
    name: "the fake",
    userAgent: "product/1.2.3",
    clock: new RealClock(),
    random: () => 1,
    ...settings,
  });
  open.push(server, transport);
  return { server, kubeconfig, transport };
}

const failureOf = async (call: Promise<unknown>): Promise<ApiError> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
};

describe("connections", () => {
  test("100 calls one after the other use at most 2 connections, and never HTTP/2", async () => {
    const { server, transport } = await bench(({ response }) => json(response, 200, { ok: true }));
    for (let index = 0; index < 100; index++) await transport.request(GET);
    expect(server.connections).toBeLessThanOrEqual(2);
    expect(new Set(server.protocols), "the server prefers h2; ours does not offer it").toEqual(new Set(["http/1.1"]));
  });

  test("100 calls at once share the settled number of connections", async () => {
    const { server, transport } = await bench(({ response }) => json(response, 200, {}), { maximumConnections: 4 });
    await Promise.all(Array.from({ length: 100 }, () => transport.request(GET)));
    expect(server.connections).toBeLessThanOrEqual(4);
  });

  test("each stream has a connection of its own, and gives it back when closed", async () => {
    const { server, transport } = await bench(({ path, response }) =>
      path.endsWith("/watch") ? response.writeHead(200).flushHeaders() : json(response, 200, {}),
    );
    const streams = await Promise.all([1, 2, 3].map(() => transport.stream({ ...GET, path: "/watch" })));
    for (let index = 0; index < 20; index++) await transport.request(GET);
    expect(server.connections).toBeLessThanOrEqual(3 + 2);
    for (const stream of streams) stream.close();
    await expect.poll(() => server.open, { timeout: 20_000 }).toBeLessThanOrEqual(2);
  });

  test("a user agent, the token, and the metric of each attempt", async () => {
    const seen: string[] = [];
    const { server, transport } = await bench(
      ({ response, time }) => (time === 1 ? json(response, 503, status(503, "ServiceUnavailable", "soon")) : json(response, 200, {})),
      { observe: ({ verb, kind, code }) => void seen.push(`${verb} ${kind} ${code}`) },
    );
    await transport.request(GET);
    expect(server.received[0]!.headers).toMatchObject({
      "user-agent": "product/1.2.3",
      authorization: "Bearer a-token",
      accept: "application/json",
    });
    expect(seen).toEqual(["get Thing 503", "get Thing 200"]);
  });

  test("a server certificate of a new authority is refused until the kubeconfig names that authority, then believed without a restart", async () => {
    const { kubeconfig, server, transport } = await bench(({ response }) => json(response, 200, {}));
    await transport.request(GET);
    const next = selfSigned("the next");
    server.rotate(next);
    expect((await failureOf(transport.request({ ...GET, deadlineMilliseconds: 400 }))).code, "nobody we trust vouches for it").toBe(0);
    // What a replaced CA file looks like to the transport: the library reads it again for each set of credentials.
    kubeconfig.clusters[0] = { ...kubeconfig.clusters[0]!, caData: Buffer.from(next.certificate).toString("base64") };
    expect(await transport.request(GET)).toEqual({});
  });
});

describe("deadlines", () => {
  test("a call that is never answered ends with Timeout at its deadline, also when the answer stops in its middle", async () => {
    const { transport } = await bench(({ path, response }) => {
      if (path === "/half") response.writeHead(200, { "content-type": "application/json" }).write('{"half":');
    });
    for (const call of [GET, POST, { ...GET, path: "/half" }]) {
      const started = performance.now();
      const error = await failureOf(transport.request({ ...call, deadlineMilliseconds: 250 }));
      expect([error.code, error.reason]).toEqual([0, "Timeout"]);
      expect(performance.now() - started).toBeLessThan(1_000);
    }
  });

  test("a server that accepts the connection and never answers the handshake: calls and streams end at their deadline all the same", async () => {
    const hole = createServer(() => {});
    const sockets = new Set<Socket>();
    hole.on("connection", (socket) => void sockets.add(socket));
    hole.listen(0, "127.0.0.1");
    await once(hole, "listening");
    const { kubeconfig, transport } = await bench(() => {});
    kubeconfig.clusters[0] = { ...kubeconfig.clusters[0]!, server: `https://127.0.0.1:${(hole.address() as AddressInfo).port}` };
    const started = performance.now();
    const failures = await Promise.all([
      failureOf(transport.request({ ...GET, deadlineMilliseconds: 250 })),
      failureOf(transport.request({ ...POST, deadlineMilliseconds: 250 })),
      failureOf(transport.stream({ ...GET, deadlineMilliseconds: 250 })),
    ]);
    expect(failures.map((error) => error.reason)).toEqual(["Timeout", "Timeout", "Timeout"]);
    expect(performance.now() - started).toBeLessThan(1_000);
    await transport.close();
    for (const socket of sockets) socket.destroy();
    hole.close();
  });

  test("credentials that never come (a plugin that hangs) are under the same deadline", async () => {
    const { kubeconfig, transport } = await bench(() => {});
    kubeconfig.users[0] = { name: "tester" };
    kubeconfig.addAuthenticator({ isAuthProvider: () => true, applyAuthentication: () => new Promise(() => {}) });
    expect((await failureOf(transport.request({ ...GET, deadlineMilliseconds: 250 }))).reason).toBe("Timeout");
    expect((await failureOf(transport.stream({ ...GET, deadlineMilliseconds: 250 }))).reason).toBe("Timeout");
  });

  test("a call that waits for a free connection ends at its deadline too, and is not sent later", async () => {
    const { server, transport } = await bench(
      ({ path, response }) => void (path === "/slow" && setTimeout(() => json(response, 200, {}), 500)),
      { maximumConnections: 1 },
    );
    const slow = transport.request({ ...GET, path: "/slow" });
    expect((await failureOf(transport.request({ ...POST, path: "/queued", deadlineMilliseconds: 200 }))).reason).toBe("Timeout");
    await slow;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.received.map((request) => request.path)).toEqual(["/slow"]);
  });

  test("a stream that does not begin within its deadline ends with Timeout; one that began is not ended by it", async () => {
    const { transport } = await bench(({ path, response }) => void (path === "/begins" && response.writeHead(200).flushHeaders()));
    expect((await failureOf(transport.stream({ ...GET, deadlineMilliseconds: 200 }))).reason).toBe("Timeout");
    const stream = await transport.stream({ ...GET, path: "/begins", deadlineMilliseconds: 200 });
    const first = stream.bytes[Symbol.asyncIterator]().next();
    const outcome = await Promise.race([first.then(() => "ended"), new Promise((resolve) => setTimeout(resolve, 400, "open"))]);
    expect(outcome).toBe("open");
    stream.close();
    await first.catch(() => {});
  });

  test("the deadline holds for the whole call: repetitions do not prolong it", async () => {
    const { server, transport } = await bench(({ response }) => json(response, 503, {}), { deadlineMilliseconds: 700 });
    const started = performance.now();
    expect((await failureOf(transport.request(GET))).code).toBe(503);
    expect(performance.now() - started).toBeLessThan(800);
    expect(server.received.length).toBeGreaterThan(2);
  });
});

describe("repetition", () => {
  test("reads are repeated after 429, 500, 503, 504 and a reset connection", async () => {
    const codes = [429, 500, 503, 504];
    const { server, transport } = await bench(({ response, time }) => {
      const code = codes[time - 1];
      if (code) json(response, code, {});
      else if (time === codes.length + 1) reset(response);
      else json(response, 200, { done: true });
    });
    expect(await transport.request(GET)).toEqual({ done: true });
    expect(server.received).toHaveLength(6);
  });

  test("Retry-After is honoured: 1 second means no sooner", async () => {
    const { transport } = await bench(({ response, time }) =>
      time === 1 ? json(response, 429, {}, { "retry-after": "1" }) : json(response, 200, {}),
    );
    const started = performance.now();
    await transport.request(GET);
    expect(performance.now() - started).toBeGreaterThanOrEqual(990);
  });

  test("a Retry-After beyond the deadline is reported at once, with its time", async () => {
    const { transport } = await bench(({ response }) => json(response, 429, {}, { "retry-after": "60" }));
    const error = await failureOf(transport.request(GET));
    expect([error.code, error.retryAfterMilliseconds]).toEqual([429, 60_000]);
  });

  test("a write is never repeated after 500, 503, 504, a reset or a timeout: it may have been done", async () => {
    for (const fail of [500, 503, 504, "reset", "silence"] as const) {
      const { server, transport } = await bench(({ response }) => {
        if (fail === "reset") reset(response);
        else if (fail !== "silence") json(response, fail, {}, { "retry-after": "0" });
      });
      const error = await failureOf(transport.request({ ...POST, deadlineMilliseconds: 500 }));
      expect(error.code).toBe(typeof fail === "number" ? fail : 0);
      expect(server.received.length, `after ${fail}`).toBe(1);
    }
  });

  test("a write is repeated after a 429 with Retry-After, which was not executed, and not after one without", async () => {
    const { server, transport } = await bench(({ response, time }) =>
      time === 1 ? json(response, 429, {}, { "retry-after": "0" }) : json(response, 201, { created: true }),
    );
    expect(await transport.request(POST)).toEqual({ created: true });
    server.handle(({ response }) => json(response, 429, {}));
    expect((await failureOf(transport.request({ ...POST, path: "/other" }))).code).toBe(429);
    expect(server.received).toHaveLength(3);
  });

  test("after a 401 the credentials are read again, once", async () => {
    const { server, transport } = await bench(({ response, time }) => (time === 1 ? json(response, 401, {}) : json(response, 200, {})));
    await transport.request(POST);
    server.handle(({ response }) => json(response, 401, status(401, "Unauthorized", "who are you")));
    expect((await failureOf(transport.request({ ...POST, path: "/other" }))).code).toBe(401);
    expect(server.received).toHaveLength(4);
  });
});

describe("failures", () => {
  test("a Status becomes an ApiError with code, reason, causes and a message that says what was tried, on what, where", async () => {
    const body = status(422, "Invalid", "spec.x: bad", {
      causes: [{ reason: "FieldValueInvalid", field: "spec.x", message: "must be 3" }],
    });
    const { transport } = await bench(({ response }) => json(response, 422, body));
    const error = await failureOf(transport.request(POST));
    expect(error).toMatchObject({ code: 422, reason: "Invalid", causes: [{ field: "spec.x", message: "must be 3" }] });
    expect(error.message).toBe("create Thing a at the fake: the server answered 422 Invalid: spec.x: bad");
  });

  test("an answer that is no JSON, or not from an API server at all, is an ApiError too", async () => {
    const { transport } = await bench(
      ({ path, response }) => void (path === "/html" ? response.writeHead(200).end("<html>") : response.writeHead(502).end("bad gateway")),
    );
    expect((await failureOf(transport.request({ ...POST, path: "/html" }))).message).toContain("no JSON");
    expect(await failureOf(transport.request({ ...POST, path: "/else" }))).toMatchObject({ code: 502, reason: "Status502" });
  });

  test("a server that is not there, or whose certificate nobody we trust signed, is Unreachable", async () => {
    const { server } = await bench(() => {});
    const stranger = server.kubeconfig();
    stranger.clusters[0] = { ...stranger.clusters[0]!, caData: Buffer.from(selfSigned().certificate).toString("base64") };
    const nowhere = server.kubeconfig();
    nowhere.clusters[0] = { ...nowhere.clusters[0]!, server: "https://127.0.0.1:1" };
    for (const kubeconfig of [stranger, nowhere]) {
      const transport = new Transport({ kubeconfig, name: "it", userAgent: "x/1", clock: new RealClock(), deadlineMilliseconds: 500 });
      open.push(transport);
      expect(await failureOf(transport.request(GET))).toMatchObject({ code: 0, reason: "Unreachable" });
    }
  });

  test("plain http is refused unless the kubeconfig switches verification off on purpose", async () => {
    const { server } = await bench(() => {});
    const kubeconfig = server.kubeconfig();
    kubeconfig.clusters[0] = { name: "fake", server: "http://127.0.0.1:1", skipTLSVerify: false };
    const transport = new Transport({ kubeconfig, name: "it", userAgent: "x/1", clock: new RealClock(), deadlineMilliseconds: 300 });
    open.push(transport);
    expect((await failureOf(transport.request(POST))).message).toContain("write https://");
  });

  test("close ends calls and streams under way, and later calls fail at once", async () => {
    const { transport } = await bench(({ path, response }) => void (path === "/watch" && response.writeHead(200).flushHeaders()));
    const stream = await transport.stream({ ...GET, path: "/watch" });
    const read = failureOf(stream.bytes[Symbol.asyncIterator]().next());
    const call = failureOf(transport.request(POST));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await transport.close();
    expect([(await read).code, (await call).code]).toEqual([0, 0]);
    expect((await failureOf(transport.request(POST))).code).toBe(0);
  });
});
