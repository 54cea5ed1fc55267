// A PostgreSQL of one's own: in a folder that goes away with it, on a Unix socket alone unless it is given a door, and ended when this
// process ends.
import { execFile } from "node:child_process";
import { appendFileSync, chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { Servers } from "../control-plane/servers.ts";
import { findPostgres, PostgresUnavailable } from "./install.ts";
import { isProgram } from "../is-program.ts";

const run = promisify(execFile);
const USER = "rollward";
const STARTS_WITHIN_MS = 30_000;
/** A socket's path has to fit into the kernel's 108 bytes, with its name. */
const LONGEST_SOCKET_FOLDER = 107 - "/.s.PGSQL.5432".length;
/** A server for tests: small, and it need not outlive the machine. */
const SETTINGS = ["fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=40"];

/** Where others than this machine's processes are to reach it: by TLS alone, and with the password. */
export interface PostgresDoor {
  /** Put before the command, they start it in the network that has the address. */
  readonly enter: readonly string[];
  readonly address: string;
  readonly password: string;
  /** PEM, of the server. */
  readonly certificate: string;
  readonly key: string;
}

export interface RunningPostgres {
  readonly url: string;
  /** Ends the server; SIGKILL as a crash does, SIGQUIT at once, SIGINT as an administrator would. */
  end(signal: "SIGKILL" | "SIGQUIT" | "SIGINT"): Promise<void>;
  /** Starts it again on what it had written. */
  startAgain(): Promise<void>;
  /** Ends it and removes all of it; may be called twice. */
  stop(): Promise<void>;
}

/** Starts the server that is there; it installs none. Throws PostgresUnavailable where there is none, or none may be run. */
export async function startPostgres(door?: PostgresDoor): Promise<RunningPostgres> {
  const found = findPostgres();
  if (found === undefined) throw new PostgresUnavailable("There is no PostgreSQL here: npm test installs one.");
  const { bin, env } = found;
  const owner = unprivileged();
  const servers = await Servers.open();
  try {
    const data = folderOf(servers.folder, "data", owner);
    const sockets = folderOf(servers.folder, "s", owner);
    if (sockets.length > LONGEST_SOCKET_FOLDER) throw new PostgresUnavailable(`The temporary folder ${sockets} is too long for a socket.`);
    const init = ["-D", data, "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
    await run(join(bin, "initdb"), init, { cwd: data, env: { ...process.env, ...env }, ...owner });
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const ofDoor = door === undefined ? ["listen_addresses="] : settingsOf(door, data, owner);
    const settings = [`unix_socket_directories=${sockets}`, ...ofDoor, ...SETTINGS].flatMap((setting) => ["-c", setting]);
    const enter = door?.enter ?? [];
    const [command = "", ...args] = [...enter, ...asOwner(owner), "env", ...variables, join(bin, "postgres"), "-D", data, ...settings];
    await servers.start("postgres", command, args);
    const url = `postgresql://${USER}@/postgres?host=${encodeURIComponent(sockets)}`;
    await untilItAnswers(servers, url);
    if (door !== undefined) await setPassword(url, door.password);
    return {
      url,
      end: (signal) => servers.end("postgres", signal),
      startAgain: async () => {
        await servers.startAgain("postgres");
        await untilItAnswers(servers, url);
      },
      stop: () => servers.stop(),
    };
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** Writes who may come in by the door, and what it shows itself with. */
function settingsOf({ address, certificate, key }: PostgresDoor, data: string, owner: Owner): string[] {
  appendFileSync(join(data, "pg_hba.conf"), "hostssl all all all scram-sha-256\n");
  const files = { "door.crt": certificate, "door.key": key };
  for (const [name, content] of Object.entries(files)) {
    const path = join(data, name);
    writeFileSync(path, content, { mode: 0o600 });
    if (owner.uid !== undefined && owner.gid !== undefined) chownSync(path, owner.uid, owner.gid);
  }
  return [`listen_addresses=${address}`, "ssl=on", "ssl_cert_file=door.crt", "ssl_key_file=door.key"];
}

async function setPassword(url: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`alter user ${USER} password ${client.escapeLiteral(password)}`);
  } finally {
    await client.end();
  }
}

interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root; then it runs as `nobody`. */
function unprivileged(): Owner {
  if (process.getuid?.() !== 0) return {};
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith("nobody:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (uid === undefined || gid === undefined)
    throw new PostgresUnavailable("PostgreSQL does not run as root, and there is no user nobody.");
  return { uid: Number(uid), gid: Number(gid) };
}

/** As another user, and ended by the kernel if its guard is killed: that wish is lost when the user changes, so it is said here again. */
function asOwner({ uid, gid }: Owner): string[] {
  if (uid === undefined) return [];
  const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find(isProgram);
  if (setpriv === undefined) throw new PostgresUnavailable("PostgreSQL does not run as root, and there is no setpriv to become nobody.");
  return [setpriv, `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--pdeathsig", "SIGKILL", "--"];
}

function folderOf(parent: string, name: string, { uid, gid }: Owner): string {
  const folder = join(parent, name);
  mkdirSync(folder, { mode: 0o700 });
  if (uid !== undefined && gid !== undefined) {
    // Another user has to get through the parent, not to read it.
    chmodSync(parent, 0o711);
    chownSync(folder, uid, gid);
  }
  return folder;
}

async function untilItAnswers(servers: Servers, url: string): Promise<void> {
  const until = performance.now() + STARTS_WITHIN_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      const ended = servers.ended("postgres");
      if (ended !== undefined || performance.now() > until)
        throw new PostgresUnavailable(`PostgreSQL did not start (${ended ?? String(error)}). ${servers.log("postgres").slice(-2_000)}`);
      await pause(50);
    }
  }
}
