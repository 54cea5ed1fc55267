// Kinds and manifests that kubectl brought, under a release of Helm: what Helm then says, and what the guide says to write.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { KIND_VERSION } from "../../src/api/names.ts";
import { VERSION } from "../../src/composition/version.ts";
import { startControlPlane, type ControlPlane } from "../../tools/control-plane/run.ts";
import { chartOfVersion } from "./chart/chart-of-version.ts";
import { CHART, describeWithHelm, helm, IMAGE, ROOT } from "./chart/helm.ts";
import { describeWithControlPlane } from "./control-plane/available.ts";

const LATER = "99.1.0";
const LATEST = "99.2.0";
const POPS = "popclusters.rollward.dev";
const GUIDE = readFileSync(join(ROOT, "docs/operations.md"), "utf8");

/** Are the parts there, one behind the other? */
function inOrder(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

/** What the guide's table says to write for a message; the message as it stands there matches what was said, … for what differs. */
function remedyFor(said: string): string {
  const rows = GUIDE.split("\n").flatMap((line) => {
    const [, message, remedy] = /^\| `([^`]+)`.* \| .* \| (.*) \|$/.exec(line) ?? [];
    return message === undefined || remedy === undefined ? [] : [{ message, remedy }];
  });
  const row = rows.find(({ message }) => inOrder(said, message.split("…")));
  return row?.remedy ?? expect.fail(`no row of docs/operations.md is about: ${said}`);
}

describeWithControlPlane("[T3] a release of Helm beside kubectl, on a real API server", () => {
  describeWithHelm("with helm", () => {
    let controlPlane: ControlPlane;
    let folder: string;
    let later: string;

    const admin = (): string => controlPlane.kubeconfig("admin");
    const kubectl = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(controlPlane.binaries.kubectl, ["--kubeconfig", admin(), ...args], { maxBuffer: 16_000_000 })).stdout;
    const helmHere = (...args: string[]) => helm(args, admin());
    /** The commands of the guide about the chart are about this one. */
    const documented = (command: RegExp, chart: string): string[] => {
      const [line] = command.exec(GUIDE) ?? expect.fail(`docs/operations.md does not say ${command}`);
      return line.replace("$ helm ", "").replace("charts/rollward", chart).split(" ");
    };
    const upgrade = (chart: string) => documented(/^\$ helm upgrade rollward charts\/rollward -n fleet --reset-then-reuse-values$/m, chart);
    const install = (chart: string) => ["install", "rollward", chart, "-n", "fleet", ...IMAGE];
    /** As the guide does it before an upgrade. */
    const bringKindsOf = async (chart: string): Promise<void> => {
      const [, show, apply] = /^\$ helm (show crds charts\/rollward) \| kubectl (apply .*)$/m.exec(GUIDE)!;
      const file = join(folder, "crds.yaml");
      writeFileSync(file, (await helm(show!.replace("charts/rollward", chart).split(" "))).stdout);
      await kubectl(...apply!.replace("-f -", `-f ${file}`).split(" "));
    };
    const versionOfKinds = () =>
      kubectl("get", "crd", POPS, "-o", `jsonpath={.metadata.annotations.${KIND_VERSION.replaceAll(".", "\\.")}}`);
    const versionOf = (object: string) =>
      kubectl("-n", "fleet", "get", object, "-o", "jsonpath={.metadata.labels.app\\.kubernetes\\.io/version}");

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "rollward-helm-and-kubectl-"));
      later = chartOfVersion(folder, LATER);
      controlPlane = await startControlPlane();
      const said = await helmHere(...install(CHART), "--create-namespace");
      expect(said.failed, said.stderr).toBe(false);
      await bringKindsOf(later);
      const upgraded = await helmHere(...upgrade(later));
      expect(upgraded.failed, upgraded.stderr).toBe(false);
      // The policy counts once the server's caches have it.
      const older = ["annotate", "--overwrite", "--dry-run=server", "crd", POPS, `${KIND_VERSION}=${VERSION}`];
      await vi.waitFor(() => expect(kubectl(...older)).rejects.toThrow("would lose"), { timeout: 20_000, interval: 100 });
    });
    afterAll(async () => {
      await controlPlane?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test("[I21] of an old config/install.yaml over it the kinds are refused and the rest is applied, policies too; the guide's helm upgrade brings the chart's back", async () => {
      const manifests = join(ROOT, "config/install.yaml");
      const complaint = await kubectl("apply", "--server-side", "--force-conflicts", "-f", manifests).then(
        (stdout) => expect.fail(`kubectl apply did all of it: ${stdout}`),
        (error: { stderr: string }) => error.stderr,
      );
      expect(complaint.match(/that is there is of version 99\.1\.0/g)).toHaveLength(10);
      expect(await versionOfKinds()).toBe(LATER);
      const objects = ["deployment/rollward-operator", "clusterrole/rollward", "validatingadmissionpolicy/kinds.rollward.dev"];
      const versions = () => Promise.all(objects.map(versionOf));
      expect(await versions()).toEqual(objects.map(() => VERSION));

      const refused = await helmHere(...upgrade(later));
      expect(refused.failed).toBe(true);
      expect(remedyFor(refused.stderr)).toContain("the same with `--force-conflicts`");
      const out = documented(/^\$ helm upgrade rollward charts\/rollward -n fleet .*--force-conflicts$/m, later);
      const said = await helmHere(...out);
      expect(said.failed, said.stderr).toBe(false);
      expect(await versions()).toEqual(objects.map(() => LATER));
      expect(await versionOfKinds()).toBe(LATER);
    });

    test("[I21] installed again over kinds that kubectl brought, of an older chart or a later one: helm ends with a conflict, and the guide's --skip-crds installs", async () => {
      const uninstall = async () => {
        // Without nodes no Job ends here.
        const said = await helmHere("uninstall", "rollward", "-n", "fleet", "--no-hooks", "--wait", "--timeout", "60s");
        expect(said.failed, said.stderr).toBe(false);
      };
      const conflict = async (chart: string) => {
        const said = await helmHere(...install(chart));
        expect(said.failed, said.stdout).toBe(true);
        expect(said.stderr).toContain('conflict with "kubectl"');
        expect(remedyFor(said.stderr)).toMatch(/^the same with `--skip-crds`.* Never `--force-conflicts`/);
        expect(await versionOfKinds()).toBe(LATER);
      };
      await uninstall();
      // With the policy gone, the conflict is what keeps the older kinds off.
      await conflict(CHART);
      const older = await helmHere(...install(CHART), "--skip-crds");
      expect(older.failed, older.stderr).toBe(false);
      expect(await versionOfKinds()).toBe(LATER);
      await uninstall();

      const latest = chartOfVersion(folder, LATEST);
      await conflict(latest);
      const refused = await helmHere(...install(latest), "--skip-crds");
      expect(refused.stderr).toMatch(/of version 99\.1\.0, .* helm show crds CHART \| kubectl apply --server-side --force-conflicts -f -/);
      await bringKindsOf(latest);
      const said = await helmHere(...install(latest), "--skip-crds");
      expect(said.failed, said.stderr).toBe(false);
      expect(await versionOfKinds()).toBe(LATEST);
    });
  });
});
