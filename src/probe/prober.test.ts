import { createServer, type Server } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isForbidden } from "./forbidden-addresses.ts";
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

describe("addresses that no check may reach", () => {
  const METADATA = [
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[fe80::1]:8080/healthz",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://0.0.0.0:8080/",
    "http://224.0.0.1/",
  ];

  it.for(METADATA)("[G12] %s is not asked, and the evidence says why", async (url) => {
    const answer = await prober.http({ method: "GET", url, timeoutMilliseconds: 500 });
    expect(answer).toMatchObject({ status: 0, milliseconds: 0 });
    expect(answer.body).toMatch(/ was not asked: it is link-local or a cloud's metadata/);
    expect(await prober.tcp(new URL(url).hostname.replace(/^\[|\]$/g, ""), 80, 500)).toBeUndefined();
  });

  it.for(["10.0.0.5", "192.168.1.1", "100.64.0.7", "203.0.113.9", "127.0.0.1", "2001:db8::5", "fd12::5", "::1"])(
    "%s may be a node's or a pod's",
    (address) => expect(isForbidden(address)).toBe(false),
  );

  it("[G12] a name that resolves to such an address, among others, is not asked; one that does not is, at what was looked at", async () => {
    const port = await listening(createServer((_, response) => response.end("here")));
    const answers: Readonly<Record<string, readonly string[]>> = {
      "prometheus.example": ["127.0.0.1"],
      "turned.example": ["127.0.0.1", "169.254.169.254"],
    };
    let asked = 0;
    const guarded = createProber((name, _, callback) => {
      asked++;
      callback(
        null,
        (answers[name] ?? []).map((address) => ({ address, family: 4 })),
      );
    });
    const ask = (host: string) => guarded.http({ method: "GET", url: `http://${host}:${port}/`, timeoutMilliseconds: 2_000, fresh: true });
    expect(await ask("prometheus.example")).toMatchObject({ status: 200, body: "here" });
    expect(asked, "once for each connection").toBe(1);
    const refused = await ask("turned.example");
    expect(refused).toMatchObject({
      status: 0,
      body: expect.stringMatching(/^turned\.example was not asked: it is link-local/) as unknown,
    });
    expect([await guarded.tcp("prometheus.example", port, 2_000), await guarded.tcp("turned.example", port, 2_000)]).toEqual([
      expect.any(Number),
      undefined,
    ]);
    await guarded.close();
  });
});
