import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ACCOUNT_LABEL } from "../../../src/api/names.ts";
import { socketRolloutSpec } from "../../../src/api/socket-rollout.ts";
import { socketSiteSpec } from "../../../src/api/socket-site.ts";
import { commandRow } from "../../../src/core/socket/command.examples.ts";
import { openInventory } from "../../../src/inventory/open.ts";
import { fleetDraft } from "../../../src/simulation/world.ts";
import { writeKubeconfig } from "../../../tools/control-plane/credentials.ts";
import { freePorts } from "../../../tools/control-plane/ports.ts";
import { startControlPlane, type ControlPlane } from "../../../tools/control-plane/run.ts";
import { findPostgres } from "../../../tools/postgres/install.ts";
import { startPostgres, type RunningPostgres } from "../../../tools/postgres/run.ts";
import { selfSigned } from "../../kubernetes/self-signed.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { CHART, describeWithHelm, helm, IMAGE, type Rendered, ROOT } from "./helm.ts";
import { containerOf } from "./workload.ts";

const run = promisify(execFile);
// No node comes for the pods; each process is started by the test as its pod would start it.
const RELEASE = ["rollward", CHART, "--namespace", "fleet", ...IMAGE, "--set=gateway.tls.secretName=sockets-tls"] as const;
const APART = "--set=inventory.postgresql.secretName=inventory";
const EMBEDDED = "--set=inventory.embedded.enabled=true,operator.replicas=1";
const ARTIFACT = { url: "https://artifacts.example.com/socket-18.3.3.swu", sha256: "9f86d081".repeat(8), size: 184_320_000 };
const describeWithPostgres = findPostgres() === undefined ? describe.skip : describe;

describeWithControlPlane("[T3] the chart's gateway", () => {
  describeWithHelm("with helm", () => {
    describeWithPostgres("with PostgreSQL (skipped where there is none: npm test installs one)", () => {
      let controlPlane: ControlPlane;
      let postgres: RunningPostgres;
      let folder: string;
      let child: ChildProcess | undefined;
      let log = "";
      let port = 0;
      let metricsPort = 0;
      const pki = selfSigned("rollward-gateway");

      const admin = (): string => controlPlane.kubeconfig("admin");
      const kubectl = async (...args: string[]): Promise<string> =>
        (await run(controlPlane.binaries.kubectl, ["--kubeconfig", admin(), ...args])).stdout;
      const object = async (...args: string[]): Promise<Rendered> => JSON.parse(await kubectl("get", "-o", "json", ...args)) as Rendered;
      const apply = async (...objects: object[]): Promise<void> => {
        const file = join(folder, "apply.json");
        writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
        await kubectl("apply", "-f", file);
      };
      const secretOf = async (name: string): Promise<Readonly<Record<string, Buffer>>> => {
        const { data } = (await object("-n", "fleet", "secret", name)) as unknown as { data: Record<string, string> };
        return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64")]));
      };

      /** What a Deployment of the cluster runs: arguments and environment, with its mounts in a folder and its ports on loopback. */
      const asHere = async (name: string): Promise<{ args: string[]; env: Record<string, string>; serviceAccountName: string }> => {
        const workload = containerOf(await object("-n", "fleet", "deployment", name));
        const { args, env = [], volumeMounts = [], volumes = [], serviceAccountName } = workload;
        const places = volumeMounts.map(({ name: volume, mountPath }) => [mountPath, join(folder, volume)] as const);
        for (const [, place] of places) mkdirSync(place, { recursive: true });
        for (const { name: volume, secret } of volumes)
          for (const [key, value] of Object.entries(secret === undefined ? {} : await secretOf(secret.secretName)))
            writeFileSync(join(folder, volume, key), value);
        // One place alone: what is moved may lie below another mount's path.
        const here = (written: string) => {
          const [from = "", to = ""] = places.find(([path]) => written.includes(`${path}/`)) ?? [];
          return from === "" ? written : written.replace(`${from}/`, `${to}/`);
        };
        const variables = env.map(async ({ name: variable, value = "", valueFrom }) => {
          const found = valueFrom && (await secretOf(valueFrom.secretKeyRef.name))[valueFrom.secretKeyRef.key]?.toString();
          return [variable, found ?? here(value)] as const;
        });
        [port = 0, metricsPort = 0] = await freePorts(2);
        const ports: Readonly<Record<string, string>> = {
          "--gateway-address=:8443": `--gateway-address=127.0.0.1:${port}`,
          "--metrics-address=:9464": `--metrics-address=127.0.0.1:${metricsPort}`,
        };
        return {
          args: args.map((arg) => ports[arg] ?? here(arg)),
          env: Object.fromEntries(await Promise.all(variables)),
          serviceAccountName,
        };
      };

      /** Starts it with the token of its service account, and answers its environment. */
      const start = async (name: string): Promise<Record<string, string>> => {
        const { args, env, serviceAccountName } = await asHere(name);
        const token = (await kubectl("-n", "fleet", "create", "token", serviceAccountName)).trim();
        const kubeconfig = join(folder, `${name}.kubeconfig`);
        writeKubeconfig(kubeconfig, controlPlane.url, controlPlane.caFile, serviceAccountName, token);
        child = spawn(process.execPath, ["src/main.ts", ...args], {
          cwd: ROOT,
          env: { ...process.env, ...env, KUBECONFIG: kubeconfig },
          stdio: ["ignore", "pipe", "pipe"],
        });
        for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (some: string) => (log += some));
        return env;
      };

      /** As the notes of the chart say, inside the pod: the token of the serial. */
      const enrolled = async (serial: string, env: Readonly<Record<string, string>>): Promise<string> => {
        const args = ["src/main.ts", "device", "enroll", serial, "--account", "acme"];
        const { stdout } = await run(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } });
        return stdout.trim().split("\t")[1] ?? expect.fail(`no token in ${stdout}`);
      };

      const call = async (serial: string, token: string, path = "", body?: string): Promise<{ status: number; links: string[] }> => {
        const outgoing = request(`https://127.0.0.1:${port}/acme/controller/v1/${serial}${path}`, {
          method: body === undefined ? "GET" : "PUT",
          ca: pki.certificate,
          headers: { authorization: `TargetToken ${token}` },
        });
        outgoing.end(body);
        const answered = once(outgoing, "response");
        const [response] = (await answered) as [NodeJS.ReadableStream & { statusCode: number }];
        const said = await text(response as never);
        const { _links = {} } = (said.startsWith("{") ? JSON.parse(said) : {}) as { _links?: object };
        return { status: response.statusCode, links: Object.keys(_links) };
      };
      const answering = async <Found>(look: () => Promise<Found>, expected: Found) => {
        const seen = async () => expect(await look(), log.slice(-2_000)).toEqual(expected);
        await vi.waitFor(seen, { timeout: 60_000, interval: 200 });
      };

      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), "rollward-chart-gateway-"));
        [controlPlane, postgres] = [await startControlPlane({}), await startPostgres()];
        await kubectl("create", "namespace", "fleet");
        await kubectl("-n", "fleet", "create", "secret", "generic", "inventory", `--from-literal=url=${postgres.url}`);
        const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
        writeFileSync(cert, pki.certificate);
        writeFileSync(key, pki.key);
        await kubectl("-n", "fleet", "create", "secret", "tls", "sockets-tls", `--cert=${cert}`, `--key=${key}`);
        await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "acme", labels: { [ACCOUNT_LABEL]: "acme" } } });
      });
      afterEach(async () => {
        child?.kill("SIGTERM");
        if (child?.exitCode === null && child.signalCode === null) await once(child, "exit");
      });
      afterAll(async () => {
        await postgres?.stop();
        await controlPlane?.stop();
        rmSync(folder, { recursive: true, force: true });
      });

      it("[G15] apart, with the arguments, the Secret and the service account of the chart, it answers a device and gives it its command", async () => {
        const said = await helm(["install", ...RELEASE, APART], admin());
        expect(said.failed, said.stderr).toBe(false);
        expect(said.stdout).toMatch(/exec deployment\/rollward-operator -- .* device enroll S-1001 --account ACCOUNT/);
        expect(said.stdout).toMatch(
          /A gateway that has not reached PostgreSQL since it started is not READY, .*\n.*logs deployment\/rollward-gateway/,
        );
        expect(said.stdout).not.toMatch(/Nobody looked for the Secret/);
        const env = await start("rollward-gateway");
        const token = await enrolled("S-2002", (await asEnv("rollward-operator")).env);
        await answering(async () => (await call("S-2002", token).catch(() => undefined))?.links, ["configData"]);
        expect((await call("S-2002", "no-token-of-ours")).status).toBe(401);
        expect((await call("S-2002", token, "/configData", '{"data":{"version":"17.2"}}')).status).toBe(200);
        await claim(env["ROLLWARD_INVENTORY"] ?? "");
        await answering(async () => (await call("S-2002", token)).links, ["deploymentBase"]);
        const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
        expect(metrics).toMatch(/rollward_api_requests_total\{[^}]*code="200"/);
        expect(metrics, "nothing was refused").not.toMatch(/rollward_api_requests_total\{[^}]*code="40[13]"/);
      });

      it("its service account may read what it looks at, and nothing else", async () => {
        const may = async (...what: string[]) => {
          const as = "--as=system:serviceaccount:fleet:rollward-gateway";
          const asked = kubectl("auth", "can-i", as, "-q", ...what);
          return asked.then(
            () => true,
            () => false,
          );
        };
        const answers = async (questions: readonly string[]) =>
          Promise.all(questions.map(async (question) => `${question}: ${(await may(...question.split(" "))) ? "yes" : "no"}`));
        const ofFleet = ["get fleets/fleet -n fleet", "list socketrollouts -n fleet", "get popclusters -n fleet"];
        const used = [...ofFleet, ...["socketsites", "accountpolicies", "maintenancewindows"].map((kind) => `get ${kind} -n acme`)];
        expect(await answers(used)).toEqual(used.map((question) => `${question}: yes`));
        const dangerous = [
          "get nodes",
          "list nodes",
          "patch nodes",
          "get secrets -n fleet",
          "get secrets -n acme",
          "list secrets -A",
          "list socketsites -n acme",
          "update socketsites -n acme --subresource=status",
          "patch fleets -n fleet",
          "update socketrollouts -n fleet",
          "create approvals -n fleet",
          "get leases -n fleet",
          "create pods -n rollward-data-plane",
          "create serviceaccounts -n fleet --subresource=token",
          "get configmaps -n fleet",
        ];
        expect(await answers(dangerous)).toEqual(dangerous.map((question) => `${question}: no`));
      });

      it("embedded, the operator's process answers devices with the arguments of the chart, on the file of its volume", async () => {
        const said = await helm(["upgrade", ...RELEASE, EMBEDDED], admin());
        expect(said.failed, said.stderr).toBe(false);
        expect(await kubectl("-n", "fleet", "get", "deployments", "-o", "name")).toBe("deployment.apps/rollward-operator\n");
        const env = await start("rollward-operator");
        await answering(async () => (await call("S-3001", "none").catch(() => undefined))?.status, 401);
        const token = await enrolled("S-3001", env);
        await answering(async () => (await call("S-3001", token)).links, ["configData"]);
        await answering(async () => (await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).status, 200);
        const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
        expect(metrics, "nothing was refused").not.toMatch(/rollward_api_requests_total\{[^}]*code="40[13]"/);
      });

      /** Its environment alone; no process of it is started. */
      const asEnv = async (name: string) => {
        const ports = [port, metricsPort] as const;
        const found = await asHere(name);
        [port, metricsPort] = ports;
        return found;
      };

      /** The operator's part: the claim in the site's status, and the row. */
      const claim = async (url: string): Promise<void> => {
        const [apiVersion, now] = ["rollward.dev/v1alpha1", Date.now()];
        const spec = socketRolloutSpec.parse({ version: "18.3.3", announcedAt: new Date(now).toISOString(), artifact: ARTIFACT });
        const sockets = [{ serial: "S-2002", role: "Primary" }];
        const site = socketSiteSpec.parse({ timeZone: "Europe/Berlin", sockets, windowRef: { name: "sockets" } });
        const sundays = { schedule: { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] }, timeZone: "Local", notice: "48h" };
        await apply(
          fleetDraft(),
          { apiVersion, kind: "SocketRollout", metadata: { name: "socket-18-3-3", namespace: "fleet" }, spec },
          { apiVersion, kind: "MaintenanceWindow", metadata: { name: "sockets", namespace: "acme" }, spec: sundays },
          { apiVersion, kind: "SocketSite", metadata: { name: "berlin", namespace: "acme" }, spec: site },
        );
        const rollout = (await object("-n", "fleet", "socketrollout", "socket-18-3-3")).metadata as unknown as { uid: string };
        const { uid } = (await object("-n", "acme", "socketsite", "berlin")).metadata as unknown as { uid: string };
        const id = `${uid}.1.S-2002.1`;
        const [notBefore, notAfter] = [now - 60_000, now + 3_600_000];
        const iso = (at: number) => new Date(at).toISOString();
        const command = { id, serial: "S-2002", version: "18.3.3", notBefore: iso(notBefore), notAfter: iso(notAfter) };
        const upgrade = {
          version: "18.3.3",
          rollout: { name: "socket-18-3-3", uid: rollout.uid },
          cause: "Rollout",
          step: "InProgress",
          since: iso(now),
          command: { ...command, claimedAt: iso(now), state: "Open" },
        };
        const patch = JSON.stringify({ status: { upgrade } });
        await kubectl("-n", "acme", "patch", "socketsite", "berlin", "--subresource=status", "--type=merge", "-p", patch);
        const inventory = await openInventory(url);
        const place = { namespace: "acme", name: "berlin", uid };
        const row = commandRow({ id, action: 1, site: place, rollout: rollout.uid, notBefore, notAfter });
        expect(await inventory.insertCommand(row)).toBe(true);
        await inventory.close();
      };
    });
  });
});
