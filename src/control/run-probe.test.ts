import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ProbeTarget } from "../core/health/probe.ts";
import { createProber, type ClosableProber } from "../probe/prober.ts";
import { runProbe } from "./run-probe.ts";

let prober: ClosableProber;
let server: Server;
let base: string;
let asked: IncomingMessage | undefined;
let reply: { status: number; body: string };
const secrets: Record<string, Record<string, string>> = { "prometheus-token": { token: "s3cret\n" }, empty: {} };

beforeEach(async () => {
  prober = createProber();
  asked = undefined;
  server = createServer((request, response) => {
    asked = request;
    response.writeHead(reply.status).end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await prober.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const run = (target: ProbeTarget) =>
  runProbe({ key: "k", intervalMilliseconds: 1000, timeoutMilliseconds: 1000, ...target }, prober, async (name) => secrets[name]);

it("http passes on 2xx and fails on 503", async () => {
  reply = { status: 200, body: "" };
  expect(await run({ kind: "http", url: `${base}/healthz` })).toMatchObject({ ok: true });
  reply = { status: 503, body: "draining" };
  expect(await run({ kind: "http", url: `${base}/healthz` })).toEqual({ ok: false, detail: `GET ${base}/healthz answered 503` });
});

it("tcp passes on a connection and fails on a refusal without calling it silence", async () => {
  const { port } = server.address() as AddressInfo;
  expect(await run({ kind: "tcp", host: "127.0.0.1", port })).toMatchObject({ ok: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(await run({ kind: "tcp", host: "127.0.0.1", port })).toEqual({ ok: false, refused: true, detail: "connection refused" });
});

it("prometheus asks /api/v1/query below the base path, with the token of the Secret", async () => {
  reply = {
    status: 200,
    body: JSON.stringify({ status: "success", data: { resultType: "vector", result: [{ metric: { a: "b" }, value: [1, "0.5"] }] } }),
  };
  const result = await run({ kind: "prometheus", url: `${base}/prom/`, query: 'up{a="b"} + 1', tokenSecret: "prometheus-token" });
  expect(result).toMatchObject({ ok: true, values: [0.5], series: ['{a="b"}'] });
  const url = new URL(asked!.url!, base);
  expect(url.pathname).toBe("/prom/api/v1/query");
  expect(url.searchParams.get("query")).toBe('up{a="b"} + 1');
  expect(asked!.headers.authorization).toBe("Bearer s3cret");
});

it.each(["empty", "missing"])("[G9] prometheus with the Secret %s is unreadable and nothing is asked", async (tokenSecret) => {
  expect(await run({ kind: "prometheus", url: base, query: "up", tokenSecret })).toEqual({
    ok: false,
    unreadable: true,
    detail: `Secret ${tokenSecret} has no key token, expected the bearer token for Prometheus`,
  });
  expect(asked).toBeUndefined();
});

it("[G9] a Prometheus that is gone or whose address is none is unreadable, never bad", async () => {
  reply = { status: 502, body: "Bad Gateway" };
  expect(await run({ kind: "prometheus", url: base, query: "up" })).toMatchObject({ ok: false, unreadable: true });
  expect(await run({ kind: "prometheus", url: "prometheus:9090x", query: "up" })).toMatchObject({ ok: false, unreadable: true });
});

it("metrics keep the series asked for, sessions their ids", async () => {
  reply = { status: 200, body: 'pop_active_sessions{node="n1"} 7\nother 1\n' };
  expect(await run({ kind: "metrics", url: `${base}/metrics`, names: ["pop_active_sessions"] })).toMatchObject({
    ok: true,
    metrics: [{ name: "pop_active_sessions", labels: { node: "n1" }, value: 7 }],
  });
  reply = { status: 200, body: '{"sessions":["a","b"]}' };
  expect(await run({ kind: "sessions", url: `${base}/sessions` })).toMatchObject({ ok: true, sessions: ["a", "b"] });
});
