// What bench/check-ins.ts starts as a process of its own, so that its processor time is the server's alone. argv: `bare`, `bare-clients`
// (it reads a body and answers a constant), the inventory's URL, or `clients:` and that; then, for TLS, a folder with server.pem and server.key. Tells its port and the tokens, and answers "measure" with the processor time since it was asked last.
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { RealClock } from "../src/control/clock/real-clock.ts";
import { clientsOf, hashOf, newToken } from "../src/control/device-credentials.ts";
import { account, clientRollout, inPhase } from "../src/core/client/client.examples.ts";
import { clientViews } from "../src/core/client/rollout-view.ts";
import { Artifacts } from "../src/gateway/artifacts.ts";
import { ClientGateway } from "../src/gateway/clients/client-gateway.ts";
import { Directories } from "../src/gateway/clients/directories.ts";
import { NewClients } from "../src/gateway/clients/new-clients.ts";
import { startGateway } from "../src/gateway/gateway.ts";
import { openInventory } from "../src/inventory/open.ts";

export interface Serving {
  readonly port: number;
  /** Of the devices D-0, D-1 and so on. */
  readonly tokens: readonly string[];
}

export interface Measured {
  /** Processor time, user and system, in microseconds. */
  readonly microseconds: number;
  /** How often the cluster was looked at. */
  readonly looks: number;
}

const DEVICES = 2_000;
const UNLIMITED = { perSecond: 1e9, burst: 1e9 };
const ANSWER = JSON.stringify({ config: { polling: { sleep: "00:05:00" } }, _links: {} });
let looks = 0;

/** What the bare server answers a Client. */
const CLIENT_ANSWER = `)]}'\n${JSON.stringify({ response: { protocol: "3.1", app: [{ appid: "rollward.client.windows", status: "ok", updatecheck: { status: "noupdate" } }] } })}`;

interface Files {
  readonly certificate: string;
  readonly key: string;
}

const constant: RequestListener = (_, response) => {
  response.writeHead(200, { "content-type": "application/hal+json", "content-length": Buffer.byteLength(ANSWER) }).end(ANSWER);
};

async function bare(answer: RequestListener, files: Files | undefined): Promise<Serving> {
  const server = files
    ? createTlsServer({ cert: readFileSync(files.certificate), key: readFileSync(files.key) }, answer)
    : createServer(answer);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return { port: (server.address() as AddressInfo).port, tokens: Array.from({ length: DEVICES }, newToken) };
}

async function gateway(url: string, files: Files | undefined): Promise<Serving> {
  const inventory = await openInventory(url);
  const clock = new RealClock();
  const tokens = Array.from({ length: DEVICES }, newToken);
  for (const [n, token] of tokens.entries()) {
    const now = clock.now();
    await inventory.enroll({ serial: `D-${n}`, account: "acme", tokenHash: hashOf(token), at: now, oldTokensUntil: now });
    await inventory.report({ account: "acme", serial: `D-${n}`, attributes: { version: "18.3.3", model: "S-100" } }, now);
  }
  const { port } = await startGateway({
    address: { host: "127.0.0.1", port: 0 },
    clock,
    inventory,
    views: { viewOf: () => Promise.resolve(void (looks += 1)), isFresh: () => true, rollout: () => undefined },
    hints: { ordinary: 300_000, near: 10_000 },
    log: () => undefined,
    limits: { device: UNLIMITED, address: UNLIMITED },
    ...(files && { tls: files }),
  });
  return { port, tokens };
}

function bareForClients(): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      JSON.parse(Buffer.concat(chunks).toString("utf8"));
      const head = { "content-type": "application/json", "content-length": Buffer.byteLength(CLIENT_ANSWER) };
      response.writeHead(200, head).end(CLIENT_ANSWER);
    });
  };
}

/** Clients of one account, with three rollouts for their system, answered from memory; what they run is the newest. */
async function clients(url: string): Promise<Serving> {
  const inventory = await openInventory(url);
  const [clock, token] = [new RealClock(), newToken()];
  const now = clock.now();
  await inventory.enroll({ account: clientsOf("acme"), tokenHash: hashOf(token), at: now, oldTokensUntil: now });
  const rollouts = clientViews(
    ["5.12.1", "5.12.2", "5.12.3"].map((version) => clientRollout({ name: version, spec: { version }, status: inPhase(3, 100, 100) })),
  );
  const view = account();
  const seen = { rollouts, fleetPaused: false, accountView: () => view };
  const log = () => undefined;
  const answering = new ClientGateway({
    inventory,
    checkIns: inventory.clients,
    views: { seen: () => seen, mayOffer: () => true },
    directories: new Directories(inventory.clients),
    newClients: new NewClients(() => clock.elapsed(), undefined, UNLIMITED),
    artifacts: new Artifacts(undefined),
    clock,
    log,
    limits: { account: UNLIMITED, client: UNLIMITED },
  });
  const { port } = await startGateway({
    address: { host: "127.0.0.1", port: 0 },
    clock,
    inventory,
    views: { viewOf: () => Promise.resolve(undefined), isFresh: () => true, rollout: () => undefined },
    hints: { ordinary: 300_000, near: 10_000 },
    log,
    limits: { device: UNLIMITED, address: UNLIMITED },
    clients: answering,
  });
  return { port, tokens: Array.from({ length: DEVICES }, () => token) };
}

function served(what: string, files: Files | undefined): Promise<Serving> {
  if (what.startsWith("clients:")) return clients(what.slice("clients:".length));
  return what.startsWith("bare") ? bare(what === "bare-clients" ? bareForClients() : constant, files) : gateway(what, files);
}

const [, , what = "bare", folder] = process.argv;
const files = folder === undefined ? undefined : { certificate: join(folder, "server.pem"), key: join(folder, "server.key") };
const serving = await served(what, files);
let before = process.cpuUsage();
process.on("message", () => {
  const { user, system } = process.cpuUsage(before);
  before = process.cpuUsage();
  process.send?.({ microseconds: user + system, looks } satisfies Measured);
});
process.on("disconnect", () => process.exit(0));
process.send?.(serving);
