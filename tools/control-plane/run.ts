// A running control plane on loopback: real etcd, kube-apiserver, kube-controller-manager and kube-scheduler, in a temporary
// folder of its own, on free ports. Several can run side by side. It ends with the process that started it, however that ends.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { callApi, type ApiAnswer, type ApiCaller } from "./api-request.ts";
import { readAuditLog, writeAuditPolicy, type AuditEntry } from "./audit-log.ts";
import {
  apiServerCommand,
  auditLog,
  caFile,
  controllerManagerCommand,
  etcdCommand,
  schedulerCommand,
  type Layout,
  type Tuning,
} from "./commands.ts";
import { USERS, writeCredentials, writeKubeconfig, type Credentials, type User } from "./credentials.ts";
import { ensureControlPlane, type ControlPlaneBinaries } from "./ensure.ts";
import { freePorts } from "./ports.ts";
import { Servers } from "./servers.ts";

export const SERVERS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
type ServerName = (typeof SERVERS)[number];

export interface ControlPlaneOptions extends Partial<Tuning> {
  /** Where the binaries are; made sure of if not given. */
  readonly binaries?: ControlPlaneBinaries;
  /** Users beside those of credentials.ts. */
  readonly users?: readonly User[];
  /** Plurals of our kinds whose status writes stand in the audit log with their bodies. */
  readonly auditStatusesOf?: readonly string[];
}

export interface ControlPlane {
  readonly url: string;
  /** PEM file that the server's certificate is checked against. */
  readonly caFile: string;
  /** The binaries in use: `binaries.kubectl` for instance. */
  readonly binaries: ControlPlaneBinaries["binaries"];
  /** Bearer token by user name. */
  readonly tokens: Readonly<Record<string, string>>;
  /** The folder with logs (`NAME.log`), credentials and data; it goes away with the control plane. */
  readonly folder: string;
  readonly auditLog: string;
  /** Path of a kubeconfig file for the user. */
  kubeconfig(user: string): string;
  /** One call as the user, answered with the status and the text. */
  call(user: string, method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  /** The audit log so far, oldest first; of a long one only what is kept. */
  auditEntries(keeps?: (entry: AuditEntry) => boolean): AuditEntry[];
  pid(server: ServerName): number;
  /** What the server wrote. */
  log(server: ServerName): string;
  /** Sends a signal: SIGSTOP and SIGCONT freeze and thaw a server. */
  signal(server: ServerName, signal: NodeJS.Signals): void;
  /**
   * Ends the API server and starts it again on the same port; waits until it is ready. SIGKILL: at once. SIGTERM: gracefully, which
   * takes five seconds while watches are open, because it waits for them until it is killed.
   */
  restartApiServer(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Ends a server until `startServer`. */
  endServer(server: ServerName, signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts a server that was ended, with the arguments that it had. */
  startServer(server: ServerName): Promise<void>;
  /** Ends all servers and removes the folder; may be called twice. */
  stop(): Promise<void>;
}

/** Kubernetes' own values; a test that wants a lost node noticed within seconds says so. */
const USUAL: Tuning = { nodeMonitorGraceSeconds: 50, evictFromLostNodeAfterSeconds: 300, apiServerFlags: [], controllerManagerFlags: [] };

const READY_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 50;
const STARTS = 3;

/** A server did not come up; the message holds the end of its log. */
class StartFailed extends Error {
  override readonly name = "StartFailed";
}

/**
 * Starts a control plane and waits until its API answers `/readyz` and pods can be created (about 3 seconds). Throws
 * ControlPlaneUnavailable when there are no binaries, StartFailed when a server does not come up; nothing is left then.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = options.binaries ?? (await ensureControlPlane());
  for (let start = 1; ; start++) {
    const servers = await Servers.open();
    try {
      return await startIn(servers, binaries, options);
    } catch (error) {
      const portWasTaken = SERVERS.some((name) => servers.log(name).includes("address already in use"));
      await servers.stop();
      if (!portWasTaken || start === STARTS) throw error;
    }
  }
}

async function startIn(servers: Servers, binaries: ControlPlaneBinaries, options: ControlPlaneOptions): Promise<ControlPlane> {
  const tuning: Tuning = { ...USUAL, ...options };
  const [etcdPort = 0, etcdPeerPort = 0, apiPort = 0] = await freePorts(3);
  const layout: Layout = { folder: servers.folder, etcdPort, etcdPeerPort, apiPort };
  const credentials = writeCredentials(servers.folder, [...USERS, ...(options.users ?? [])]);
  const auditPolicy = join(servers.folder, "audit-policy.json");
  writeAuditPolicy(auditPolicy, options.auditStatusesOf);
  const files = { tokens: credentials.tokenFile, serviceAccountKey: credentials.serviceAccountKey, auditPolicy };

  const running = new RunningControlPlane(servers, binaries, layout, credentials);
  await servers.start("etcd", binaries.binaries.etcd, etcdCommand(layout));
  await servers.start("kube-apiserver", binaries.binaries["kube-apiserver"], apiServerCommand(layout, files, tuning));
  await running.waitUntilReady();
  await running.letWatcherRead();
  const manager = "kube-controller-manager";
  const managerKubeconfig = running.kubeconfig("system:kube-controller-manager");
  const managerArgs = controllerManagerCommand(layout, managerKubeconfig, credentials.serviceAccountKey, tuning);
  await servers.start(manager, binaries.binaries[manager], managerArgs);
  const schedulerArgs = schedulerCommand(running.kubeconfig("system:kube-scheduler"));
  await servers.start("kube-scheduler", binaries.binaries["kube-scheduler"], schedulerArgs);
  await running.waitUntilPodsCanBeCreated();
  return running;
}

class RunningControlPlane implements ControlPlane {
  readonly url: string;
  readonly caFile: string;
  readonly binaries: ControlPlaneBinaries["binaries"];
  readonly tokens: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly auditLog: string;
  readonly #servers: Servers;

  constructor(servers: Servers, binaries: ControlPlaneBinaries, layout: Layout, credentials: Credentials) {
    this.#servers = servers;
    this.binaries = binaries.binaries;
    this.folder = layout.folder;
    this.url = `https://127.0.0.1:${layout.apiPort}`;
    this.caFile = caFile(layout.folder);
    this.auditLog = auditLog(layout.folder);
    this.tokens = credentials.tokens;
  }

  kubeconfig(user: string): string {
    const path = join(this.folder, `${user.replaceAll(":", "-")}.kubeconfig`);
    if (!existsSync(path)) writeKubeconfig(path, this.url, this.caFile, user, this.#token(user));
    return path;
  }

  call(user: string, method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const caller: ApiCaller = { url: this.url, ca: readFileSync(this.caFile, "utf8"), token: this.#token(user) };
    return callApi(caller, method, path, body);
  }

  auditEntries(keeps?: (entry: AuditEntry) => boolean): AuditEntry[] {
    return readAuditLog(this.auditLog, keeps);
  }

  pid(server: ServerName): number {
    return this.#servers.pid(server);
  }

  log(server: ServerName): string {
    return this.#servers.log(server);
  }

  signal(server: ServerName, signal: NodeJS.Signals): void {
    this.#servers.signal(server, signal);
  }

  async restartApiServer(signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): Promise<void> {
    await this.#servers.restart("kube-apiserver", signal);
    await this.waitUntilReady();
  }

  endServer(server: ServerName, signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): Promise<void> {
    return this.#servers.end(server, signal);
  }

  async startServer(server: ServerName): Promise<void> {
    await this.#servers.startAgain(server);
    if (server === "kube-apiserver") await this.waitUntilReady();
  }

  stop(): Promise<void> {
    return this.#servers.stop();
  }

  waitUntilReady(): Promise<void> {
    return this.#wait("answer /readyz with 200", async () => {
      const answer = await this.call("admin", "GET", "/readyz");
      return answer.status === 200 ? undefined : `${answer.status} ${answer.body.slice(0, 500)}`;
    });
  }

  /** Until the controller manager has made it, a pod is refused for want of its ServiceAccount. */
  waitUntilPodsCanBeCreated(): Promise<void> {
    return this.#wait("have the default ServiceAccount", async () => {
      const answer = await this.call("admin", "GET", "/api/v1/namespaces/default/serviceaccounts/default");
      return answer.status === 200 ? undefined : `${answer.status}`;
    });
  }

  /** `watcher` may read everything and change nothing. */
  async letWatcherRead(): Promise<void> {
    const api = "/apis/rbac.authorization.k8s.io/v1";
    const verbs = ["get", "list", "watch"];
    const rules = [
      { apiGroups: ["*"], resources: ["*"], verbs },
      { nonResourceURLs: ["*"], verbs: ["get"] },
    ];
    const name = "independent-watcher";
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
    const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "watcher" }];
    await this.#create(`${api}/clusterroles`, { metadata: { name }, rules });
    await this.#create(`${api}/clusterrolebindings`, { metadata: { name }, roleRef, subjects });
  }

  async #create(path: string, body: unknown): Promise<void> {
    const answer = await this.call("admin", "POST", path, body);
    if (answer.status !== 201) throw new StartFailed(`POST ${path} was answered ${answer.status}: ${answer.body.slice(0, 500)}`);
  }

  /** `found` answers undefined when it is so, or what is found instead. */
  async #wait(what: string, found: () => Promise<string | undefined>): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    let last = "";
    while (performance.now() < deadline) {
      this.#throwIfOneEnded(what);
      try {
        const instead = await found();
        if (instead === undefined) return;
        last = instead;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
      await sleep(ASK_EVERY_MS);
    }
    throw new StartFailed(`The control plane did not ${what} within ${READY_WITHIN_MS / 1000} s; last: ${last}.\n${this.#ends()}`);
  }

  #throwIfOneEnded(what: string): void {
    const gone = SERVERS.find((name) => this.#servers.has(name) && this.#servers.ended(name) !== undefined);
    if (gone === undefined) return;
    throw new StartFailed(
      `${gone} ended (${this.#servers.ended(gone)}) before the control plane could ${what}:\n${lastLines(this.log(gone))}`,
    );
  }

  #ends(): string {
    return SERVERS.map((name) => `--- ${name}\n${lastLines(this.log(name))}`).join("\n");
  }

  #token(user: string): string {
    const token = this.tokens[user];
    if (token === undefined) throw new Error(`There is no user ${user} here; the users are ${Object.keys(this.tokens).join(", ")}.`);
    return token;
  }
}

function lastLines(log: string): string {
  return log.trimEnd().split("\n").slice(-8).join("\n");
}
