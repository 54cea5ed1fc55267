// What people see who may not do everything, or whose cluster does not let them: each sentence stands in docs/operations.md too.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { popDraft } from "../../../src/simulation/world.ts";
import { startControlPlane, type ControlPlane } from "../../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { CHART, describeWithHelm, helm, IMAGE, ROOT } from "./helm.ts";

/** May install everything of the chart but kinds: these are others'. */
const INSTALLER = "installer";
const GROUPS = [
  "",
  "apps",
  "batch",
  "policy",
  "rbac.authorization.k8s.io",
  "networking.k8s.io",
  "admissionregistration.k8s.io",
  "rollward.dev",
];
const RELEASE = ["rollward", CHART, "--namespace", "fleet", "--create-namespace", ...IMAGE] as const;

describeWithControlPlane("[T3] what the cluster refuses", () => {
  describeWithHelm("with helm", () => {
    let controlPlane: ControlPlane;
    let folder: string;

    const kubectl = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(controlPlane.binaries.kubectl, ["--kubeconfig", controlPlane.kubeconfig("admin"), ...args])).stdout;
    const asInstaller = (...args: string[]) => helm(args, controlPlane.kubeconfig(INSTALLER));
    const documented = (sentence: string) => expect(readFileSync(join(ROOT, "docs/operations.md"), "utf8")).toContain(sentence);

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "rollward-refused-"));
      controlPlane = await startControlPlane({ users: [{ name: INSTALLER, groups: [] }] });
      const api = "/apis/rbac.authorization.k8s.io/v1";
      const everything = ["coordination.k8s.io", "events.k8s.io"];
      const rules = [
        { apiGroups: [...GROUPS, ...everything], resources: ["*"], verbs: ["*"] },
        { apiGroups: ["apiextensions.k8s.io"], resources: ["customresourcedefinitions"], verbs: ["get", "list"] },
      ];
      const metadata = { name: INSTALLER };
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: INSTALLER };
      const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: INSTALLER }];
      await controlPlane.call("admin", "POST", `${api}/clusterroles`, { metadata, rules });
      await controlPlane.call("admin", "POST", `${api}/clusterrolebindings`, { metadata, roleRef, subjects });
    });
    afterAll(async () => {
      await controlPlane?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    it("who may not create kinds is told so, and nothing is installed", async () => {
      const said = await asInstaller("install", ...RELEASE);
      expect(said.failed).toBe(true);
      const sentence = 'cannot create resource "customresourcedefinitions" in API group "apiextensions.k8s.io"';
      expect(said.stderr.replaceAll('\\"', '"')).toMatch(/cannot (create|patch) resource "customresourcedefinitions" in API group/);
      documented(sentence.replace("create resource", "… resource"));
      expect(await kubectl("get", "deployments", "-A", "-o", "name")).toBe("");
    });

    it("with --skip-crds it is installed, and the notes name the kinds that are missing and the command; once they are there they name none", async () => {
      const said = await asInstaller("install", ...RELEASE, "--skip-crds");
      expect(said.failed, said.stderr).toBe(false);
      expect(said.stdout).toMatch(
        /These kinds are not in this cluster: accountpolicies\.rollward\.dev, approvals\.rollward\.dev, .*tunnelsites/,
      );
      expect(said.stdout).toContain("helm show crds CHART | kubectl apply --server-side -f -");
      documented("These kinds are not in this cluster");
      const file = join(folder, "crds.yaml");
      writeFileSync(file, (await helm(["show", "crds", CHART])).stdout);
      await kubectl("apply", "--server-side", "-f", file);
      const again = await asInstaller("upgrade", ...RELEASE.filter((arg) => arg !== "--create-namespace"));
      expect(again.failed, again.stderr).toBe(false);
      expect(again.stdout).not.toContain("not in this cluster");
    });

    it("a namespace that enforces restricted takes the data plane's DaemonSet and none of its pods, and says why where the DaemonSet is described", async () => {
      await kubectl("create", "namespace", "locked");
      await kubectl("label", "namespace", "locked", "pod-security.kubernetes.io/enforce=restricted");
      const { template } = popDraft("fra1").spec as unknown as { template: { spec: object } };
      const labels = { app: "pop" };
      const set = {
        apiVersion: "apps/v1",
        kind: "DaemonSet",
        metadata: { name: "pop", namespace: "locked" },
        spec: { selector: { matchLabels: labels }, template: { ...template, metadata: { labels } } },
      };
      const file = join(folder, "set.json");
      writeFileSync(file, JSON.stringify(set));
      await kubectl("create", "-f", file);
      const node = { apiVersion: "v1", kind: "Node", metadata: { name: "one" } };
      writeFileSync(file, JSON.stringify(node));
      await kubectl("create", "-f", file);
      const sentence = 'is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)';
      await vi.waitFor(async () => expect(await kubectl("-n", "locked", "describe", "daemonset", "pop")).toContain(sentence), {
        timeout: 60_000,
        interval: 500,
      });
      expect(await kubectl("-n", "locked", "get", "pods", "-o", "name")).toBe("");
      documented(sentence);
    });
  });
});
