import { createServer, type Server } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createProber, type ClosableProber } from "./prober.ts";

let prober: ClosableProber;
let servers: (Server | TcpServer)[];

beforeEach(() => {
  prober = createProber();
  servers = [];
});

afterEach(async () => {
  await prober.close();
  for (const server of servers) {
    if ("closeAllConnections" in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listening<S extends Server | TcpServer>(server: S): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const get = (port: number, more: { timeoutMilliseconds?: number; maximumBytes?: number; fresh?: boolean } = {}) =>
  prober.http({ method: "GET", url: `http://127.0.0.1:${port}/x`, timeoutMilliseconds: 2000, ...more });

it("answers with status and body, and posts JSON", async () => {
  const port = await listening(
    createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += String(chunk)));
      request.on("end", () =>
        response.writeHead(409).end(`${request.method} ${request.headers["content-type"]} ${String(request.headers["x-token"])} ${body}`),
      );
    }),
  );
  const answer = await prober.http({
    method: "POST",
    url: `http://127.0.0.1:${port}/drain`,
    body: { token: "t" },
    headers: { "x-token": "7" },
    timeoutMilliseconds: 2000,
  });
  expect(answer).toMatchObject({ status: 409, body: 'POST application/json 7 {"token":"t"}' });
  expect(answer.milliseconds).toBeGreaterThan(0);
});

it("does not follow a redirect: it would leave the node that is judged", async () => {
  const port = await listening(createServer((_, response) => response.writeHead(302, { location: "/elsewhere" }).end()));
  expect(await get(port)).toMatchObject({ status: 302, body: "" });
});

it("gives up at the deadline on a server that never answers", async () => {
  const port = await listening(createServer(() => {}));
  const answer = await get(port, { timeoutMilliseconds: 150 });
  expect(answer).toMatchObject({ status: 0, body: "no answer within 150 ms" });
  expect(answer.refused).toBeUndefined();
  expect(answer.milliseconds).toBeLessThan(1000);
});

it("gives up at the deadline on a body that trickles on for ever", async () => {
  const port = await listening(
    createServer((_, response) => {
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    }),
  );
  expect(await get(port, { timeoutMilliseconds: 200 })).toMatchObject({ status: 0, body: "no answer within 200 ms" });
});

it("keeps at most the bytes asked for of a body without end, and says so", async () => {
  const port = await listening(
    createServer((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(10_000)));
      };
      response.on("drain", more);
      more();
    }),
  );
  const answer = await get(port, { maximumBytes: 1000 });
  expect(answer).toMatchObject({ status: 200, truncated: true });
  expect(answer.body).toHaveLength(1000);
});

it("tells a refused or closed connection from silence", async () => {
  const port = await listening(createTcpServer((socket) => socket.destroy()));
  expect(await get(port)).toMatchObject({ status: 0, refused: true, body: "connection closed before the answer" });
  const free = await freePort();
  expect(await get(free)).toMatchObject({ status: 0, refused: true, body: "connection refused" });
  expect(await prober.tcp("127.0.0.1", free, 1000)).toBe("Refused");
});

it("connects by TCP and says how long it took", async () => {
  const port = await listening(createTcpServer());
  expect(await prober.tcp("127.0.0.1", port, 1000)).toBeLessThan(1000);
});

it("keeps connections for calls one after the other, and opens one for each that asks for a fresh one", async () => {
  let connections = 0;
  const server = createServer((_, response) => response.end("ok"));
  server.on("connection", () => (connections += 1));
  const port = await listening(server);
  for (let count = 0; count < 20; count += 1) expect((await get(port)).status).toBe(200);
  expect(connections).toBeLessThanOrEqual(2);
  const kept = connections;
  for (let count = 0; count < 3; count += 1) expect((await get(port, { fresh: true })).status).toBe(200);
  expect(connections).toBe(kept + 3);
});

it("says what is wrong with an address that is none", async () => {
  expect(await prober.http({ method: "GET", url: "not a url", timeoutMilliseconds: 100 })).toMatchObject({
    status: 0,
    body: "Invalid URL",
  });
});

async function freePort(): Promise<number> {
  const server = createTcpServer();
  const port = await new Promise<number>((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
  await new Promise((resolve) => server.close(resolve));
  return port;
}
