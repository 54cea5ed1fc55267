import { execFile } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ACCOUNT_LABEL } from "../../src/api/names.ts";
import { FLEET } from "../../src/api/resources.ts";
import { SOCKET_ROLLOUT, socketRolloutSpec } from "../../src/api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite, socketSiteSpec } from "../../src/api/socket-site.ts";
import { DAYS } from "../../src/api/maintenance-window.ts";
import { openInventory } from "../../src/inventory/open.ts";
import { fleetDraft, FLEET_NAMESPACE, popDraft } from "../../src/simulation/world.ts";
import { findImageTools } from "../../tools/image/install.ts";
import { REGISTRY } from "../../tools/nodes/install.ts";
import { GATEWAY } from "../../tools/nodes/node-files.ts";
import { findPostgres } from "../../tools/postgres/install.ts";
import { type RunningPostgres, startPostgres } from "../../tools/postgres/run.ts";
import { CHART, describeWithHelm, helm, ROOT, type Said } from "../cluster/chart/helm.ts";
import { eventually, passed, QUICK, setVersion, SHORT_DRAIN } from "../cluster/rolls/pops.ts";
import { type Line, LineProcess } from "../cluster/virtual-nodes/child-process.ts";
import { selfSigned } from "../kubernetes/self-signed.ts";
import { describeWithNodes } from "./available.ts";
import { HelmWorld, type OperatorPod } from "./helm-world.ts";
import { onRealNodes } from "./nodes-world.ts";

const run = promisify(execFile);
const POP = "fra1";
const ACCOUNT = "acme";
const SERIALS = ["S-1001", "S-1002", "S-1003", "S-1004", "S-1005", "S-1006"];
const VERSION = "18.3.3";
const ARTIFACT = { url: "https://artifacts.example.com/socket.swu", sha256: "9f86d081".repeat(8), size: 184_320_000 };
/** What a name service would lead to the Service. */
const NAME = "rollward-gateway.fleet.svc";
const [WRONG, RIGHT] = ["hunter2-wrong", "hunter2-right"];
const REFUSED = 'password authentication failed for user "rollward"';
const VALUES = [
  "inventory.postgresql.secretName=inventory,inventory.postgresql.caSecretName=postgresql-ca,gateway.tls.secretName=sockets-tls",
  // What a device said of itself counts for half as long again; test/nodes/devices.ts polls every 1.5 s.
  "gateway.pollInterval=2s,gateway.pollIntervalNear=2s",
  "networkPolicy.dataPlanePorts={8080}",
];
const STRATEGY = { ...QUICK, drain: SHORT_DRAIN, perNode: { expected: "20s", deadline: "30s", soak: "1s", retries: 0 } };

interface Pod extends OperatorPod {
  readonly spec: OperatorPod["spec"] & { readonly serviceAccountName: string };
  readonly status: OperatorPod["status"] & {
    readonly podIP?: string;
    readonly containerStatuses?: readonly {
      readonly ready: boolean;
      readonly imageID: string;
      readonly restartCount: number;
      readonly state?: { readonly waiting?: { readonly reason: string; readonly message?: string } };
    }[];
  };
}

const describeWithAll = (name: string, tests: () => void): void => {
  const missing = [
    ...(findImageTools() === undefined ? ["the image cannot be built"] : []),
    ...(findPostgres() === undefined ? ["there is no PostgreSQL"] : []),
  ];
  if (missing.length === 0) describeWithHelm(name, tests);
  else describe.skip(`${name} (${missing.join(", ")} here: npm test makes what it needs, where it can)`, tests);
};

describeWithNodes("[T4] operator and gateway apart on real nodes, with PostgreSQL", () => {
  describeWithAll("installed by Helm", () => {
    let world: HelmWorld;
    let postgres: RunningPostgres;
    let devices: LineProcess | undefined;
    const pki = selfSigned("rollward", { names: [NAME], addresses: [GATEWAY] });

    /** A server as a person's own, with a password, TLS and a name in its certificate; only the pods' network leads to it. */
    const urlWith = (password: string, authority = "/etc/rollward/postgresql/ca.crt") =>
      `postgresql://rollward:${password}@${GATEWAY}:5432/postgres?sslmode=verify-full&sslrootcert=${authority}`;

    beforeAll(async () => {
      world = await HelmWorld.start(POP, 2);
      await world.nodes.startServiceProxy();
      const { enter } = world.nodes;
      postgres = await startPostgres({ enter, address: GATEWAY, password: RIGHT, certificate: pki.certificate, key: pki.key });
      for (const [name, label] of [
        [FLEET_NAMESPACE, "pod-security.kubernetes.io/enforce=restricted"],
        [ACCOUNT, `${ACCOUNT_LABEL}=${ACCOUNT}`],
      ] as const) {
        await world.kubectl("create", "namespace", name);
        await world.kubectl("label", "namespace", name, label);
      }
      const [cert, key] = [join(world.folder, "cert.pem"), join(world.folder, "key.pem")];
      writeFileSync(cert, pki.certificate);
      writeFileSync(key, pki.key);
      await kubectl("create", "secret", "tls", "sockets-tls", `--cert=${cert}`, `--key=${key}`);
      await kubectl("create", "secret", "generic", "postgresql-ca", `--from-file=ca.crt=${cert}`);
    });
    afterAll(async () => {
      await devices?.end();
      await postgres?.stop();
      await world?.stop();
    });

    const kubectl = (...args: readonly string[]) => world.kubectl("-n", FLEET_NAMESPACE, ...args);
    /** Unlike the world's, it waits for nothing, and a refusal is an answer. */
    const install = (...values: readonly string[]): Promise<Said> => {
      const image = [`image.repository=${REGISTRY}/rollward`, `image.digest=${world.image}`];
      const settings = [...image, ...VALUES, ...values].flatMap((value) => ["--set", value]);
      return helm(["install", "rollward", CHART, "-n", FLEET_NAMESPACE, ...settings], world.controlPlane.kubeconfig("admin"));
    };
    const podsOf = async (component: "operator" | "gateway"): Promise<Pod[]> => {
      const pods = await world.get<Pod>("-n", FLEET_NAMESPACE, "pods", "-l", `app.kubernetes.io/component=${component}`);
      return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    };
    const readyOf = async (component: "operator" | "gateway") =>
      (await podsOf(component)).map(({ status }) => status.containerStatuses?.[0]?.ready ?? false);
    const bothReady = () =>
      eventually(
        async () => [...(await readyOf("operator")), ...(await readyOf("gateway"))],
        (ready) => expect(ready).toEqual([true, true, true, true]),
      );
    /** A page of a pod, asked in the pods' network. */
    const page = async ({ status }: Pod, path: string): Promise<string> => {
      const [nsenter = "", ...inside] = world.enter;
      const script = `console.log(await (await fetch("http://${status.podIP}:9464${path}")).text())`;
      return (await run(nsenter, [...inside, process.execPath, "--input-type=module", "-e", script])).stdout;
    };
    const logOf = (component: "operator" | "gateway"): string => {
      const files = globSync(`*/log/pods/${FLEET_NAMESPACE}_rollward-${component}-*/*/*.log`, { cwd: world.nodes.folder });
      return files.map((file) => readFileSync(join(world.nodes.folder, file), "utf8")).join("");
    };
    /** The command line as a person runs it, in the pods' network. */
    const rollward = async (...args: readonly string[]): Promise<string> => {
      const [nsenter = "", ...inside] = world.enter;
      const env = { ...process.env, KUBECONFIG: world.controlPlane.kubeconfig("admin") };
      return (await run(nsenter, [...inside, process.execPath, "src/main.ts", ...args], { cwd: ROOT, env })).stdout;
    };
    const site = async () => (await world.cluster.get<SocketSite>(SOCKET_SITE, "berlin", ACCOUNT))?.status;

    const polls = (from = 0): Line[] => devices!.lines.slice(from).filter(({ type }) => type === "poll");
    const unanswered = (lines: readonly Line[]) => lines.filter(({ status }) => status !== 200);
    /** Waits until every device has polled `times` from now on, and answers with these polls. */
    const pollsOfAll = async (times: number): Promise<Line[]> => {
      const from = devices!.lines.length;
      const isThere = () =>
        SERIALS.slice(1).every((serial) => polls(from).filter((line) => line["serial"] === serial).length >= times) ||
        expect.fail(`only ${polls(from).length} polls yet`);
      await vi.waitFor(isThere, { timeout: 60_000, interval: 100 });
      return polls(from);
    };

    it("without the Secret that holds PostgreSQL's address helm install is refused; told not to look, the pods say by their status and by name what they wait for", async () => {
      const said = await install();
      expect(said.stderr).toMatch(/inventory\.postgresql\.secretName names the Secret inventory, and there is none in namespace fleet/);
      expect(await kubectl("get", "deployments", "-o", "name")).toBe("");
      const installed = await install("checkSecrets=false");
      expect(installed.failed, installed.stderr).toBe(false);
      const waiting = { reason: "CreateContainerConfigError", message: 'secret "inventory" not found' };
      for (const component of ["operator", "gateway"] as const)
        await eventually(
          () => podsOf(component),
          (pods) => expect(pods.map(({ status }) => status.containerStatuses?.[0]?.state?.waiting)).toEqual([waiting, waiting]),
        );
      expect(await kubectl("get", "pods")).toMatch(/^rollward-gateway-\S+ +0\/1 +CreateContainerConfigError/m);
    });

    it("with the Secret they start by themselves; its password is wrong: the operator leads, no gateway is ready, and both say in PostgreSQL's words why, without the password", async () => {
      await kubectl("create", "secret", "generic", "inventory", `--from-literal=url=${urlWith(WRONG)}`);
      await eventually(
        () => readyOf("operator"),
        (ready) => expect(ready).toEqual([true, true]),
      );
      await eventually(
        () => world.leader(),
        (leader) => expect(leader).toMatch(/^rollward-operator-/),
      );
      await eventually(
        () => (logOf("gateway").match(/"level":"warn".*/g) ?? []).join("\n"),
        (log) => expect(log).toContain(`The inventory at postgresql://${GATEWAY}:5432/postgres did not answer to `),
      );
      expect(await readyOf("gateway")).toEqual([false, false]);
      for (const pod of await podsOf("gateway"))
        expect(await page(pod, "/readyz")).toMatch(new RegExp(`^inventory: The inventory at postgresql://.*: ${REFUSED}\\. `));
      for (const component of ["operator", "gateway"] as const) {
        expect(logOf(component)).toContain(REFUSED.replaceAll('"', '\\"'));
        expect(logOf(component)).not.toContain(WRONG);
      }
    });

    it("mended and restarted, operator and gateway are two pods each, with service accounts of their own, from the image's digest, and speak TLS to PostgreSQL", async () => {
      await kubectl("delete", "secret", "inventory");
      await kubectl("create", "secret", "generic", "inventory", `--from-literal=url=${urlWith(RIGHT)}`);
      await kubectl("rollout", "restart", "deployment", "rollward-operator", "rollward-gateway");
      for (const name of ["rollward-operator", "rollward-gateway"]) await kubectl("rollout", "status", "deployment", name, "--timeout=90s");
      await bothReady();
      const accounts = { operator: "rollward", gateway: "rollward-gateway" } as const;
      for (const component of ["operator", "gateway"] as const)
        for (const { spec, status } of await podsOf(component)) {
          expect([spec.serviceAccountName, spec.nodeName]).toEqual([accounts[component], expect.stringMatching(/^hub[12]$/)]);
          expect(status.containerStatuses).toMatchObject([{ imageID: `${REGISTRY}/rollward@${world.image}`, restartCount: 0 }]);
        }
      const { default: pg } = await import("pg");
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      const { rows } = await client.query<{ client_addr: string; ssl: boolean }>(
        "select distinct client_addr::text, ssl from pg_stat_activity join pg_stat_ssl using (pid) where application_name = 'rollward'",
      );
      await client.end();
      const pods = [...(await podsOf("operator")), ...(await podsOf("gateway"))].map(({ status }) => `${status.podIP}/32`);
      expect(
        rows.every(({ client_addr, ssl }) => ssl && pods.includes(client_addr)),
        JSON.stringify(rows),
      ).toBe(true);
      expect(rows.length).toBeGreaterThan(2);
    });

    it("[S4] devices poll through the gateway's Service; what one says reaches its site's status, what a person asks for reaches the device, by rows of PostgreSQL alone", async () => {
      const authority = join(world.folder, "cert.pem");
      const enrolled = await rollward("device", "enroll", ...SERIALS, "--account", ACCOUNT, "--inventory", urlWith(RIGHT, authority));
      const tokens = enrolled
        .trim()
        .split("\n")
        .map((line) => line.split("\t"));
      expect(tokens.map(([serial]) => serial)).toEqual(SERIALS);
      await world.apply(FLEET, fleetDraft());
      await world.applySample("maintenance-window-pop-sunday.yaml", (spec) => ({
        ...spec,
        schedule: { weekly: DAYS.map((day) => ({ day, start: "00:00", duration: "24h" })) },
      }));
      const sundays = { schedule: { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] }, timeZone: "Local", notice: "48h" };
      await apply({ kind: "MaintenanceWindow", metadata: { name: "sockets", namespace: ACCOUNT }, spec: sundays });
      const spec = socketSiteSpec.parse({
        timeZone: "Europe/Berlin",
        sockets: [{ serial: SERIALS[0], role: "Primary" }],
        windowRef: { name: "sockets" },
      });
      await world.apply(SOCKET_SITE, { metadata: { name: "berlin", namespace: ACCOUNT }, spec } as never);
      devices = new LineProcess(
        "test/nodes/devices.ts",
        [`https://${NAME}/${ACCOUNT}/controller/v1`, authority, JSON.stringify(tokens)],
        await asDevice(authority),
      );
      await eventually(site, (status) => expect(status?.sockets?.[0]).toMatchObject({ connected: true, version: "17.2" }));
      expect(unanswered(await pollsOfAll(3))).toEqual([]);
      const announcedAt = new Date().toISOString();
      const rollout = socketRolloutSpec.parse({ version: VERSION, announcedAt, ramp: [{ percent: 100 }], artifact: ARTIFACT });
      await world.apply(SOCKET_ROLLOUT, { metadata: { name: "socket", namespace: FLEET_NAMESPACE }, spec: rollout } as never);
      await eventually(
        () => rollward("upgrade-now", `site/${ACCOUNT}/berlin`, SERIALS[0]!, VERSION),
        (answer) => expect(answer).toContain(VERSION),
      );
      const versions = () => devices!.lines.filter(({ type }) => type === "runs").map((line) => line["version"]);
      await eventually(site, (status) => expect(versions(), JSON.stringify(status)).toEqual(["17.2", VERSION]));
      // The site's status rests until the Socket has stayed on the version for a while; the row knows it at once.
      const inventory = await openInventory(postgres.url);
      await eventually(
        () => inventory.reports({ account: ACCOUNT, serials: [SERIALS[0]!] }),
        (reports) => expect(reports).toMatchObject([{ version: VERSION }]),
      );
      await inventory.close();
      for (const pod of await podsOf("gateway")) {
        const metrics = await page(pod, "/metrics");
        expect(metrics, "each of the two was asked").toMatch(/rollward_device_checkins_total\{[^}]*\} [1-9]/);
        expect(metrics, "nothing was refused").not.toMatch(/rollward_api_requests_total\{[^}]*code="40[13]"/);
      }
    });

    it("a gateway's node is drained: another pod answers first, and no poll is lost", async () => {
      const from = devices!.lines.length;
      const [first] = await podsOf("gateway");
      await world.kubectl("drain", first!.spec.nodeName!, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=90s");
      await bothReady();
      expect((await podsOf("gateway")).map(({ metadata }) => metadata.name)).not.toContain(first!.metadata.name);
      await pollsOfAll(2);
      expect(unanswered(polls(from))).toEqual([]);
      await world.kubectl("uncordon", first!.spec.nodeName!);
    });

    it("a gateway's process is killed: the other replica answers more polls than the dead one loses, and once the kubelet has started it again none is lost", async () => {
      const from = devices!.lines.length;
      const [first] = await podsOf("gateway");
      process.kill(processOf(first!), "SIGKILL");
      await eventually(
        async () => (await podsOf("gateway")).find(({ metadata }) => metadata.name === first!.metadata.name)?.status.containerStatuses,
        (statuses) => expect(statuses).toMatchObject([{ restartCount: 1, ready: true }]),
      );
      const later = await pollsOfAll(2);
      const lost = unanswered(polls(from));
      expect(lost.length, JSON.stringify(lost)).toBeLessThan(polls(from).length / 2);
      expect(unanswered(later)).toEqual([]);
    });

    it("[G9] while PostgreSQL is away polls are answered 503 with Retry-After, nobody restarts or loses his place, and a PoP rolls on; when it is back everything goes on by itself", async () => {
      const { spec } = popDraft(POP, onRealNodes(POP, { strategy: { ...STRATEGY, maxUnavailable: "100%" } }));
      const { version, template, strategy, health } = spec as unknown as Record<string, unknown>;
      await world.applySample(`popcluster-${POP}.yaml`, (sample) => ({ ...sample, version, template, strategy, health }));
      await world.until(POP, "the first version", passed("1.0.0"), 90_000);
      await world.editPop(POP, (edited) => ({ ...edited, strategy: { ...edited.strategy, maxUnavailable: 1 } }));
      const logged = logOf("gateway").length;
      await postgres.end("SIGINT");
      await eventually(
        () => pollsOfAll(1),
        (lines) => expect(lines.map(({ status, retryAfter }) => [status, Number(retryAfter) > 0])).toEqual(lines.map(() => [503, true])),
      );
      await setVersion(world, POP, "2.0.0");
      await world.until(POP, "2.0.0 on both nodes", passed("2.0.0"), 90_000);
      await bothReady();
      expect(logOf("gateway").slice(logged)).toMatch(/"level":"warn".*did not answer to \w+: .*(ECONNREFUSED|terminat)/);
      await postgres.startAgain();
      await eventually(
        () => pollsOfAll(1),
        (lines) => expect(unanswered(lines)).toEqual([]),
      );
      expect(logOf("gateway").slice(logged)).toMatch(/"level":"info".*the inventory at .* answers again/);
      for (const pod of [...(await podsOf("operator")), ...(await podsOf("gateway"))])
        expect(pod.status.containerStatuses?.[0]?.ready).toBe(true);
    });

    const apply = async (object: object): Promise<void> => {
      const file = join(world.folder, "apply.json");
      writeFileSync(file, JSON.stringify({ apiVersion: "rollward.dev/v1alpha1", ...object }));
      await world.kubectl("apply", "-f", file);
    };

    /** Put before a device's command: the nodes' network, and a list of hosts in the place of a name service, for this process alone. */
    const asDevice = async (authority: string): Promise<string[]> => {
      const address = await kubectl("get", "service", "rollward-gateway", "-o", "jsonpath={.spec.clusterIP}");
      const hosts = join(world.folder, "hosts");
      writeFileSync(hosts, `127.0.0.1 localhost\n${address} ${NAME}\n`);
      const alone = ["unshare", "-m", "--propagation", "private", "sh", "-ec", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts];
      return [...world.enter, ...alone, "env", `NODE_EXTRA_CA_CERTS=${authority}`];
    };

    /** Of the pod's container, as this machine sees it: by its cgroup, which is the pod's. */
    const processOf = ({ metadata }: Pod): number => {
      const found = globSync("/proc/[0-9]*/cgroup").find((file) => {
        try {
          const isOfPod = readFileSync(file, "utf8").includes(`pod${metadata.uid}/`);
          return isOfPod && readFileSync(file.replace(/cgroup$/, "cmdline"), "utf8").includes("--gateway-only=true");
        } catch {
          // It ended while it was looked at.
          return false;
        }
      });
      return Number(found?.split("/")[2] ?? expect.fail(`no process of pod ${metadata.name} is found`));
    };
  });
});
