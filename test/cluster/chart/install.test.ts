import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import { VERSION } from "../../../src/composition/version.ts";
import { DATA_PLANE_NAMESPACE, fleetDraft, popDraft, sundayWindow } from "../../../src/simulation/world.ts";
import { writeKubeconfig } from "../../../tools/control-plane/credentials.ts";
import { freePorts } from "../../../tools/control-plane/ports.ts";
import { startControlPlane, type ControlPlane } from "../../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { LineProcess } from "../virtual-nodes/child-process.ts";
import { APART, CHART, describeWithHelm, EMBEDDED, EVERYTHING, helm, IMAGE, objectsOf, type Rendered, ROOT, tools } from "./helm.ts";
import { writeSchemas } from "./published-schemas.ts";

const run = promisify(execFile);

// The virtual nodes run data planes only, so the operator's pods wait for a node that does not come; its process is started by the test
// as the pod would start it.
const NOWHERE = "--set=operator.nodeSelector.disk=none";
const RELEASE = ["rollward", CHART, "--namespace", "fleet", ...IMAGE, NOWHERE] as const;

describeWithControlPlane("[T3] the chart on a real API server", () => {
  describeWithHelm("with helm", () => {
    let controlPlane: ControlPlane;
    let folder: string;
    let nodes: LineProcess | undefined;
    let operator: ChildProcess | undefined;
    let operatorLog = "";
    let metricsPort = 0;

    const admin = (): string => controlPlane.kubeconfig("admin");
    const kubectl = async (...args: string[]): Promise<string> =>
      (await run(controlPlane.binaries.kubectl, ["--kubeconfig", admin(), ...args], { maxBuffer: 16_000_000 })).stdout;
    const get = async (...args: string[]): Promise<{ items: Rendered[] }> =>
      JSON.parse(await kubectl("get", "-o", "json", ...args)) as { items: Rendered[] };
    const helmHere = (...args: string[]) => helm(args, admin());
    const pop = async (): Promise<PopCluster> => JSON.parse(await kubectl("-n", "fleet", "get", "pop", "fra1", "-o", "json")) as PopCluster;
    const soon = <Found>(look: () => Promise<Found>, assertion: (found: Found) => void) =>
      vi.waitFor(async () => assertion(await look()), { timeout: 60_000, interval: 250 });
    const apply = async (...objects: object[]): Promise<void> => {
      const file = join(folder, "apply.json");
      writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
      await kubectl("apply", "-f", file);
    };

    /** Applies what the hook brings but its Job, and runs the Job's script as its pod would: answers what it printed. */
    const uninstallHook = async (hooks: readonly Rendered[]): Promise<string> => {
      const job = hooks.find(({ kind }) => kind === "Job") as unknown as {
        spec: { template: { spec: { serviceAccountName: string; containers: { env: { name: string; value: string }[] }[] } } };
      };
      const { serviceAccountName, containers } = job.spec.template.spec;
      await apply(...hooks.filter(({ kind }) => kind !== "Job"));
      const script = hooks.find(({ kind }) => kind === "ConfigMap") as unknown as { data: Record<string, string> };
      const file = join(folder, "let-go.mjs");
      writeFileSync(file, script.data["let-go.mjs"]!);
      const tokenFile = join(folder, "token");
      writeFileSync(tokenFile, await kubectl("-n", "fleet", "create", "token", serviceAccountName));
      // Where a pod has them, and where they are here.
      const mounted: Readonly<Record<string, string>> = { TOKEN_FILE: tokenFile, NODE_EXTRA_CA_CERTS: controlPlane.caFile };
      const given = containers[0]!.env.map(({ name, value }) => [name, mounted[name] ?? value]);
      const { hostname, port } = new URL(controlPlane.url);
      const env = { ...Object.fromEntries(given), KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
      return (await run(process.execPath, [file], { env })).stdout;
    };

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "rollward-chart-"));
      controlPlane = await startControlPlane({ nodeMonitorGraceSeconds: 5 });
      await kubectl("create", ...tools!.monitoringKinds.flatMap((path) => ["-f", path]));
      await kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all");
    });
    afterAll(async () => {
      operator?.kill("SIGTERM");
      if (operator?.exitCode === null && operator.signalCode === null) await once(operator, "exit");
      await nodes?.end();
      await controlPlane?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    describe("before anything is installed", () => {
      it("the server takes every object of every switch in a dry run, and warns of none", async () => {
        for (const namespace of ["dry-fleet", "dry-plane"]) await kubectl("create", "namespace", namespace);
        const everything = [...EVERYTHING, "--set=dataPlane.namespaces={dry-plane}"];
        const monitors = { serviceMonitor: EMBEDDED, podMonitor: APART };
        for (const [monitor, sockets] of Object.entries(monitors)) {
          const scraped = `--set=monitoring.${monitor}.enabled=true`;
          const { stdout, stderr } = await helm([
            "template",
            "dry",
            "--include-crds",
            CHART,
            "-n",
            "dry-fleet",
            ...IMAGE,
            ...everything,
            ...sockets,
            scraped,
          ]);
          const file = join(folder, `${monitor}.yaml`);
          writeFileSync(file, stdout);
          const dryRun = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", file];
          const answer = await run(controlPlane.binaries.kubectl, ["--kubeconfig", admin(), ...dryRun]);
          expect(stderr + answer.stderr).toBe("");
          expect(answer.stdout.match(/ serverside-applied \(server dry run\)/g)).toHaveLength(objectsOf(stdout).length);
        }
      });

      it("kubeconform finds nothing against the schemas that this server publishes, and finds a field that does not exist", async () => {
        const { body } = await controlPlane.call("admin", "GET", "/openapi/v2");
        const location = writeSchemas(JSON.parse(body) as Parameters<typeof writeSchemas>[0], join(folder, "schemas"));
        const conform = (file: string) =>
          run(tools!.kubeconform, ["-strict", "-summary", "-output", "json", "-schema-location", location, file]).then(
            ({ stdout }) => JSON.parse(stdout) as { summary: unknown; resources: { msg: string }[] },
            (error: { stdout: string }) => JSON.parse(error.stdout) as { summary: unknown; resources: { msg: string }[] },
          );
        const read = (name: string) => readFileSync(join(folder, name), "utf8");
        for (const name of ["serviceMonitor.yaml", "podMonitor.yaml"])
          expect(await conform(join(folder, name))).toMatchObject({
            summary: { valid: objectsOf(read(name)).length, invalid: 0, errors: 0, skipped: 0 },
          });
        const broken = join(folder, "broken.yaml");
        writeFileSync(broken, read("serviceMonitor.yaml").replace("terminationGracePeriodSeconds:", "terminationGraceSeconds:"));
        const found = await conform(broken);
        expect(found.summary).toMatchObject({ invalid: 1 });
        expect(JSON.stringify(found.resources)).toContain("terminationGraceSeconds");
      });

      it("the pods of operator and gateway are admitted where pod security is restricted", async () => {
        await kubectl("create", "namespace", "strict");
        await kubectl("label", "namespace", "strict", "pod-security.kubernetes.io/enforce=restricted");
        await vi.waitFor(() => kubectl("-n", "strict", "get", "serviceaccount", "default"), { timeout: 20_000, interval: 100 });
        const deployments = ["serviceMonitor.yaml", "podMonitor.yaml"]
          .flatMap((name) => objectsOf(readFileSync(join(folder, name), "utf8")))
          .filter(({ kind }) => kind === "Deployment") as unknown as { spec: { template: { spec: Record<string, unknown> } } }[];
        // Embedded; the operator and its gateway apart.
        expect(deployments).toHaveLength(3);
        for (const { spec } of deployments) {
          const dryRun = async (pod: object) =>
            (
              await controlPlane.call("admin", "POST", "/api/v1/namespaces/strict/pods?dryRun=All", {
                metadata: { name: "one" },
                spec: { ...spec.template.spec, serviceAccountName: "default", ...pod },
              })
            ).status;
          expect(await dryRun({})).toBe(201);
          expect(await dryRun({ hostNetwork: true }), "the namespace does refuse").toBe(403);
        }
      });

      it("config/install.yaml is taken too", async () => {
        // What its namespaces hold needs them to be there, and a dry run creates none.
        const manifests = readFileSync(join(ROOT, "config/install.yaml"), "utf8").replaceAll(/\b(fleet|rollward-data-plane)$/gm, "dry-$1");
        const file = join(folder, "install.yaml");
        await kubectl("create", "namespace", "dry-rollward-data-plane");
        writeFileSync(file, manifests.replaceAll(/namespace: (fleet|rollward-data-plane)\b/g, "namespace: dry-$1"));
        await kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", file);
      });
    });

    describe("installed", () => {
      it("helm install puts everything in place, and its notes say what to do next", async () => {
        const said = await helmHere("install", ...RELEASE, "--create-namespace", "--set", "monitoring.serviceMonitor.enabled=true");
        expect(said.failed, said.stderr).toBe(false);
        expect(said.stdout).toMatch(/runs in namespace fleet/);
        expect(said.stdout).toMatch(/kubectl -n fleet create rolebinding approvers --clusterrole=rollward-approver/);
        expect(said.stdout).toMatch(/networkPolicy\.dataPlanePorts is empty/);
        const command = /^ +helm (upgrade .*dataPlanePorts=.*)$/m.exec(said.stdout)?.[1] ?? expect.fail(said.stdout);
        const upgraded = await helmHere(...command.replaceAll("'", "").replace("CHART", CHART).split(" "), "--dry-run=server");
        expect(upgraded.failed, upgraded.stderr).toBe(false);
        // The pods are admitted; that they stay Pending is this control plane's lack of nodes.
        await soon(
          () => get("-n", "fleet", "pods"),
          ({ items }) => expect(items).toHaveLength(2),
        );
      });

      it("a second release in the cluster is refused with a sentence that names the first", async () => {
        const second = await helmHere("install", "other", CHART, "-n", "other", "--create-namespace", ...IMAGE);
        expect(second.stderr).toMatch(/installed in this cluster already, as release rollward of namespace fleet, .* uninstall it first/);
      });

      it("rollward run, with the arguments of the chart and the token of its service account, reads, leads and brings a PoP to its first version", async () => {
        // helm says what it installed; the arguments are taken from the cluster all the same.
        const [deployment] = (await get("-n", "fleet", "deployments")).items as unknown as {
          spec: { template: { spec: { serviceAccountName: string; containers: { args: string[] }[] } } };
        }[];
        const { serviceAccountName, containers } = deployment!.spec.template.spec;
        const token = (await kubectl("-n", "fleet", "create", "token", serviceAccountName)).trim();
        const kubeconfig = join(folder, "service-account.kubeconfig");
        writeKubeconfig(kubeconfig, controlPlane.url, controlPlane.caFile, serviceAccountName, token);
        [metricsPort = 0] = await freePorts(1);
        const args = containers[0]!.args.map((arg) =>
          arg === "--metrics-address=:9464" ? `--metrics-address=127.0.0.1:${metricsPort}` : arg,
        );
        operator = spawn(process.execPath, ["src/main.ts", ...args], {
          cwd: ROOT,
          env: { ...process.env, KUBECONFIG: kubeconfig },
          stdio: ["ignore", "pipe", "pipe"],
        });
        for (const stream of [operator.stdout, operator.stderr])
          stream?.setEncoding("utf8").on("data", (text: string) => (operatorLog += text));
        mkdirSync(join(folder, "nodes"));
        nodes = new LineProcess("src/simulation/nodes/main.ts", [
          "--kubeconfig",
          controlPlane.kubeconfig("virtual-nodes"),
          "--pop=fra1=2",
          "--heartbeat=1000",
          `--directory=${join(folder, "nodes", "directory.json")}`,
        ]);
        await nodes.line("ready");
        const strategy = { bake: "1s", maxUnavailable: "100%", perNode: { expected: "40s", deadline: "60s", soak: "1s", retries: 1 } };
        const drafts = [fleetDraft(), sundayWindow(), popDraft("fra1", { strategy })];
        await apply(...drafts);
        await vi.waitFor(
          async () => {
            const { status } = await pop();
            if (status?.run?.state !== "Passed") throw new Error(`${JSON.stringify(status)}; the operator: ${operatorLog.slice(-2_000)}`);
          },
          { timeout: 90_000, interval: 250 },
        );
        expect(operatorLog).toContain("this replica leads now");
        const lease = JSON.parse(await kubectl("-n", "fleet", "get", "lease", "rollward", "-o", "json")) as {
          spec: { holderIdentity: string };
        };
        expect(operatorLog).toContain(lease.spec.holderIdentity);
        const pages = await Promise.all(["readyz", "livez", "metrics"].map((page) => fetch(`http://127.0.0.1:${metricsPort}/${page}`)));
        expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
        expect(await pages[2]!.text(), "nothing was refused").not.toMatch(/rollward_api_requests_total\{[^}]*code="40[13]"/);
      });

      it("helm upgrade is refused on kinds of an older version with the command that mends it, and that command does", async () => {
        // The way back, on purpose: without it the chart's own policy would keep the kind.
        const older = ["rollward.dev/version=0.0.9", `rollward.dev/gives-up-version=${VERSION}`];
        await kubectl("annotate", "--overwrite", "crd", "fleets.rollward.dev", ...older);
        const refused = await helmHere("upgrade", ...RELEASE);
        expect(refused.stderr).toMatch(
          /kind fleets\.rollward\.dev in this cluster is of version 0\.0\.9, .*helm show crds CHART \| kubectl apply/,
        );
        const file = join(folder, "crds.yaml");
        writeFileSync(file, (await helm(["show", "crds", CHART])).stdout);
        await kubectl("apply", "--server-side", "--force-conflicts", "-f", file);
      });

      it("helm upgrade and rollback change the release under the running operator: kinds of a newer version, the PoP and the data plane stay as they are", async () => {
        const before = await pop();
        // A later version was here already: its kind knows a field that this chart does not.
        const later = { version: "99.0.0", field: { type: "string" } };
        await kubectl("annotate", "--overwrite", "crd", "popclusters.rollward.dev", `rollward.dev/version=${later.version}`);
        const path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/later";
        await kubectl(
          "patch",
          "crd",
          "popclusters.rollward.dev",
          "--type=json",
          "-p",
          JSON.stringify([{ op: "add", path, value: later.field }]),
        );
        const fieldOfKind = () =>
          kubectl(
            "get",
            "crd",
            "popclusters.rollward.dev",
            "-o",
            "jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.later}",
          );
        const said = await helmHere("upgrade", ...RELEASE, "--set", "operator.replicas=3,rbac.evictPods=true");
        expect(said.failed, said.stderr).toBe(false);
        expect(await fieldOfKind()).toBe('{"type":"string"}');
        expect((await get("servicemonitors", "-A")).items, "it is not asked for any more").toEqual([]);
        expect((await get("clusterroles")).items.map(({ metadata }) => metadata.name)).toContain("rollward-evict-pods");
        const rolledBack = await helmHere("rollback", "rollward", "1", "-n", "fleet");
        expect(rolledBack.failed, rolledBack.stderr).toBe(false);
        expect(await fieldOfKind(), "rolled back, and no field is cut off").toBe('{"type":"string"}');
        expect((await get("clusterroles")).items.map(({ metadata }) => metadata.name)).not.toContain("rollward-evict-pods");
        const after = await pop();
        expect([after.metadata.uid, after.spec, after.status?.nodes]).toEqual([before.metadata.uid, before.spec, before.status?.nodes]);
      });

      it("helm uninstall leaves the kinds, the PoPs without a finalizer, and a data plane that goes on serving", async () => {
        const directory = JSON.parse(readFileSync(join(folder, "nodes", "directory.json"), "utf8")) as { address: string }[];
        const serving = () =>
          Promise.all(
            directory.map(
              async ({ address }) => (await fetch(`http://${address}:8080/healthz`, { signal: AbortSignal.timeout(2_000) })).status,
            ),
          );
        expect(await serving()).toEqual([200, 200]);
        // As every PoP has it that was ever rolled.
        await kubectl("-n", "fleet", "patch", "pop", "fra1", "--type=merge", "-p", '{"metadata":{"finalizers":["rollward.dev/claims"]}}');
        operator!.kill("SIGTERM");
        await once(operator!, "exit");
        expect(operator!.exitCode, operatorLog.slice(-1_000)).toBe(0);
        const hooks = objectsOf((await helmHere("get", "hooks", "rollward", "-n", "fleet")).stdout);
        // Without nodes no Job ends here; what it would run is run below, with its own rights.
        const said = await helmHere("uninstall", "rollward", "-n", "fleet", "--no-hooks", "--wait", "--timeout", "60s");
        expect(said.failed, said.stderr).toBe(false);
        const namespaced = "deployments,services,serviceaccounts,roles,rolebindings,networkpolicies,poddisruptionbudgets,configmaps";
        for (const kinds of [namespaced, "clusterroles,clusterrolebindings,validatingadmissionpolicies"]) {
          const left = (await get(kinds, "-A")).items.filter(({ metadata }) => /^rollward\b|\.rollward\.dev$/.test(metadata.name));
          expect(left.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([]);
        }
        expect((await pop()).metadata.finalizers).toEqual(["rollward.dev/claims"]);
        expect(await uninstallHook(hooks)).toMatch(/^PoPCluster fra1: the finalizer is off, no node of it is in hand\n$/);
        const ours = await get("fl,mw,pop,popro,tun,approvals,namespaces,nodes,pods,daemonsets,controllerrevisions,leases", "-A");
        expect(ours.items.filter(({ metadata }) => metadata.finalizers?.some((name) => name.includes("rollward")))).toEqual([]);
        expect(ours.items.filter(({ kind }) => kind === "Fleet" || kind === "PoPCluster")).toHaveLength(2);
        await kubectl("-n", "fleet", "delete", "pop", "fra1", "--timeout=10s");
        expect((await get("-n", DATA_PLANE_NAMESPACE, "daemonsets")).items).toHaveLength(1);
        expect(await serving()).toEqual([200, 200]);
      });

      it("installed again with --skip-crds it runs on the kinds that are there, and takes its namespaces back", async () => {
        // Without it Helm 4 applies the chart's kinds over those of a later version; here it would meet whoever wrote these.
        const over = await helmHere("install", ...RELEASE);
        expect(over.stderr).toMatch(/failed to install CRD .*popclusters\.yaml: conflict/);
        const said = await helmHere("install", ...RELEASE, "--skip-crds");
        expect(said.failed, said.stderr).toBe(false);
        const kind = await kubectl(
          "get",
          "crd",
          "popclusters.rollward.dev",
          "-o",
          "jsonpath={.metadata.annotations.rollward\\.dev/version}",
        );
        expect(kind).toBe("99.0.0");
      });
    });
  });
});
