// B7: how many check-ins one processor core serves, beside a server that answers a constant.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "undici";
import { selfSigned } from "../test/kubernetes/self-signed.ts";
import { PostgresUnavailable } from "../tools/postgres/install.ts";
import { startPostgres } from "../tools/postgres/run.ts";
import type { Measured, Serving } from "./check-in-server.ts";
import { type Figures, median, quantile, type Row, spread } from "./figures.ts";

const CONNECTIONS = 64;
const CHECK_INS = 8_000;
const WARM_UP = 3;
const TURNS = 8;

interface Server {
  /** How its devices come. */
  readonly sends: (device: number, token: string) => Call;
  readonly child: ChildProcess;
  readonly pool: Pool;
  readonly tokens: readonly string[];
  readonly perCore: number[];
  readonly milliseconds: number[];
  looks: number;
}

interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A Socket's poll. */
const poll = (device: number, token: string): Call => ({
  method: "GET",
  path: `/acme/controller/v1/D-${device}`,
  headers: { authorization: `TargetToken ${token}` },
});

let requests = 0;
/** A Client's check-in, as JSON. */
const checkIn = (device: number, token: string): Call => {
  const app = [{ appid: "rollward.client.windows", version: "5.12.3", cohort: "5.12.3/phase-3", updatecheck: {}, ping: { r: 1 } }];
  const request = {
    protocol: "3.1",
    requestid: `{${(requests += 1)}}`,
    machineid: `D-${device}`,
    user: `user-${device}@acme.example`,
    app,
  };
  return {
    method: "POST",
    path: "/omaha/v1/acme",
    headers: { authorization: `ClientToken ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ request }),
  };
};

/** `certificates`: a folder with them, for TLS. */
async function start(what: string, certificates?: string, sends = poll): Promise<Server> {
  const args = certificates === undefined ? [what] : [what, certificates];
  const child = fork(join(import.meta.dirname, "check-in-server.ts"), args, { execArgv: [] });
  const [{ port, tokens }] = (await once(child, "message")) as [Serving];
  const [scheme, options] = certificates === undefined ? ["http", {}] : ["https", { connect: { rejectUnauthorized: false } }];
  const pool = new Pool(`${scheme}://127.0.0.1:${port}`, { connections: CONNECTIONS, ...options });
  return { sends, child, pool, tokens, perCore: [], milliseconds: [], looks: 0 };
}

async function measure(child: ChildProcess): Promise<Measured> {
  const answer = once(child, "message") as Promise<[Measured]>;
  child.send("measure");
  return (await answer)[0];
}

/** One turn: devices one after the other on connections that stay, each with its own token. */
async function turn({ sends, child, pool, tokens, milliseconds }: Server): Promise<Measured> {
  let next = 0;
  const device = async (): Promise<void> => {
    for (let n = next++; n < CHECK_INS; n = next++) {
      const which = n % tokens.length;
      const begun = performance.now();
      const { statusCode, body } = await pool.request(sends(which, tokens[which] ?? ""));
      await body.dump();
      if (statusCode !== 200) throw new Error(`a check-in was answered ${statusCode}`);
      milliseconds.push(performance.now() - begun);
    }
  };
  await measure(child);
  // Devices never sleep: to wake a process of the same machine at each answer costs a server more than the answer, and the slower one more often.
  let isUnderWay = true;
  const stayAwake = (): void => void (isUnderWay && setImmediate(stayAwake));
  stayAwake();
  await Promise.all(Array.from({ length: CONNECTIONS }, device)).finally(() => (isUnderWay = false));
  return measure(child);
}

/** Without PostgreSQL its rows are left out. */
export async function checkIns(): Promise<readonly Figures[]> {
  const folder = mkdtempSync(join(tmpdir(), "rollward-check-ins-"));
  const postgres = await startPostgres().catch((error: unknown) => {
    if (error instanceof PostgresUnavailable) return undefined;
    throw error;
  });
  const { certificate, key } = selfSigned();
  writeFileSync(join(folder, "server.pem"), certificate);
  writeFileSync(join(folder, "server.key"), key);
  const servers = {
    bare: await start("bare"),
    sqlite: await start(`sqlite:${join(folder, "inventory.db")}`),
    bareTls: await start("bare", folder),
    sqliteTls: await start(`sqlite:${join(folder, "inventory-tls.db")}`, folder),
    bareClients: await start("bare-clients", undefined, checkIn),
    clients: await start(`clients:sqlite:${join(folder, "inventory-clients.db")}`, undefined, checkIn),
    ...(postgres && { postgres: await start(postgres.url) }),
  };
  try {
    // Every device comes for the first time, and code is compiled until it is as fast as that of a server which runs for days.
    for (const server of Object.values(servers)) for (let n = 0; n < WARM_UP; n++) await turn(server);
    for (let n = 0; n < TURNS; n++) {
      const order = n % 2 === 0 ? Object.values(servers) : Object.values(servers).toReversed();
      for (const server of order) {
        if (n === 0) server.milliseconds.length = 0;
        const { microseconds, looks } = await turn(server);
        server.perCore.push((CHECK_INS / microseconds) * 1e6);
        server.looks = looks;
      }
    }
  } finally {
    for (const { child, pool } of Object.values(servers)) {
      await pool.close();
      child.kill();
    }
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return [figuresOf(servers)];
}

interface Servers {
  readonly bare: Server;
  readonly sqlite: Server;
  readonly bareTls: Server;
  readonly sqliteTls: Server;
  readonly bareClients: Server;
  readonly clients: Server;
  readonly postgres?: Server;
}

function figuresOf({ bare, sqlite, bareTls, sqliteTls, bareClients, clients, postgres }: Servers): Figures {
  const rowsOf = (name: string, server: Server, beside: Server): Row[] => {
    const share = median(server.perCore) / median(beside.perCore);
    return [
      { what: `${name}, check-ins a second on one core`, value: spread(server.perCore, "/s") },
      {
        what: "  share of the bare server",
        value: `${(share * 100).toFixed(0)} %`,
        target: "≥ 50 %, state of the art ≥ 80 %",
        met: share >= 0.5,
      },
      { what: "  answered, p50 and p99", value: answered(server) },
      {
        what: "  looks at the cluster, with nothing to offer",
        value: String(server.looks),
        target: "0",
        met: server.looks === 0,
        gated: true,
      },
    ];
  };
  const bareRows = (name: string, server: Server): Row[] => [
    { what: name, value: spread(server.perCore, "/s") },
    { what: "  answered, p50 and p99", value: answered(server) },
  ];
  return {
    title: "B7: check-ins of devices",
    how: `${CHECK_INS} polls of 2,000 devices over ${CONNECTIONS} connections that stay, by a process that never sleeps; a core's rate is polls by the server's own processor time, of ${TURNS} turns in changing order`,
    rows: [
      ...bareRows("a bare Node server that answers a constant", bare),
      ...rowsOf("gateway on SQLite", sqlite, bare),
      ...(postgres === undefined ? [] : rowsOf("gateway on PostgreSQL (the server's own time apart)", postgres, bare)),
      ...bareRows("a bare Node server with TLS", bareTls),
      ...rowsOf("gateway on SQLite with TLS, beside the bare one with TLS", sqliteTls, bareTls),
      ...bareRows("a bare Node server that parses a Client's JSON and answers a constant", bareClients),
      ...rowsOf("Clients on SQLite, Omaha in JSON with three rollouts, every check-in recorded", clients, bareClients).slice(0, 3),
    ],
  };
}

const answered = ({ milliseconds }: Server): string =>
  `${median(milliseconds).toFixed(1)} and ${quantile(milliseconds, 0.99).toFixed(1)} ms`;
