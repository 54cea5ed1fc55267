import { execFile } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VERSION } from "../../src/composition/version.ts";
import { build, type Built } from "../../tools/build.ts";

const run = promisify(execFile);

const WINDOW = `apiVersion: rollward.dev/v1alpha1
kind: MaintenanceWindow
metadata: { name: sunday, namespace: fleet }
spec:
  schedule: { weekly: [{ day: Sunday, start: "01:00", duration: 2h }] }
  timeZone: Local
`;

const RELEASE = `${WINDOW}---
apiVersion: rollward.dev/v1alpha1
kind: Fleet
metadata: { name: fleet, namespace: fleet }
spec: { train: { everyWeeks: 2, anchor: "2026-11-22", length: 336h } }
---
apiVersion: rollward.dev/v1alpha1
kind: PoPCluster
metadata: { name: fra1, namespace: fleet }
spec:
  timeZone: Europe/Berlin
  nodeSelector: { matchLabels: { rollward.dev/pop: fra1 } }
  windowRef: { name: sunday }
  template: { spec: { containers: [{ name: pop, image: pop }] } }
---
apiVersion: rollward.dev/v1alpha1
kind: PoPRollout
metadata: { name: r-2, namespace: fleet }
spec: { version: 2.0.0, requestedBy: release, waves: [{ name: all, pops: { percent: 100 } }] }
`;

describe("the bundled program", () => {
  let folder: string;
  let elsewhere: string;
  let built: Built;

  /** Runs the copy as its first line says, with nothing of this checkout or this process' environment in reach. */
  const rollward = (...args: string[]) => {
    const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: elsewhere };
    return run(join(elsewhere, "rollward.mjs"), args, { cwd: elsewhere, env });
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rollward-built-"));
    elsewhere = mkdtempSync(join(tmpdir(), "rollward-elsewhere-"));
    built = await build(join(folder, "dist"));
    cpSync(join(folder, "dist"), elsewhere, { recursive: true });
  });
  afterAll(() => {
    for (const path of [folder, elsewhere]) rmSync(path, { recursive: true, force: true });
  });

  it("says its version in an empty folder, without node_modules", async () => {
    expect((await rollward("--version")).stdout).toBe(`${VERSION}\n`);
  });

  it("tells windows: Tokyo, Sunday 01:00, announced on a Friday → 2023-03-11T16:00:00Z", async () => {
    writeFileSync(join(elsewhere, "window.yaml"), WINDOW);
    const { stdout } = await rollward(
      "when",
      "-f",
      "window.yaml",
      "--zone",
      "Asia/Tokyo",
      "--announced-at",
      "2023-03-03T18:00:00+09:00",
      "-n",
      "1",
      "-o",
      "json",
    );
    expect(JSON.parse(stdout)).toMatchObject([{ start: "2023-03-11T16:00:00Z" }]);
  });

  it("prints its CRDs", async () => {
    expect((await rollward("crds")).stdout.match(/^kind: CustomResourceDefinition$/gm)?.length).toBeGreaterThanOrEqual(3);
  });

  it("loads the operator's part only when asked, and refuses a kubeconfig that is not there with a sentence", async () => {
    expect(/import\([`"']\.\/chunks\/run-operator/.test(readFileSync(built.program, "utf8"))).toBe(true);
    const refused = await rollward("run", "--kubeconfig", join(elsewhere, "none"), "--metrics-address", "127.0.0.1:0").catch(
      (error: { code: number; stderr: string }) => error,
    );
    expect(refused).toMatchObject({ code: expect.any(Number) });
    expect(refused.stderr).toContain(join(elsewhere, "none"));
  });

  it("plans, and looks ahead in a thread of its own whose file lies beside the program", async () => {
    writeFileSync(join(elsewhere, "release.yaml"), RELEASE);
    const { stdout } = await rollward("plan", "-f", "release.yaml", "--from", "2026-11-13T12:00:00Z", "-o", "json");
    expect(JSON.parse(stdout)).toMatchObject({ fits: true, rollouts: [{ dates: [{ date: "2026-11-22", pops: 1 }] }] });
    // As the operator's part of the bundle starts it: handed a fleet, it answers once and ends.
    const workerData = { now: 0, namespace: "fleet", windows: [], pops: [], rollouts: [], approvals: [], partners: new Map() };
    const worker = new Worker(join(elsewhere, "forecast-worker.mjs"), { workerData });
    const [answer] = await once(worker, "message");
    expect(answer).toEqual(new Map());
    const operator = [...built.sizes.keys()].find((file) => file.startsWith("chunks/run-operator"));
    expect(readFileSync(join(folder, "dist", operator!), "utf8")).toContain("../forecast-worker.mjs");
  });

  it("runs where strings may not become code", async () => {
    const { stdout } = await run(process.execPath, ["--disallow-code-generation-from-strings", join(elsewhere, "rollward.mjs"), "crds"], {
      cwd: elsewhere,
      env: { PATH: "/usr/bin:/bin" },
    });
    expect(stdout).toContain("popclusters.rollward.dev");
  });

  it("is no larger than 4 MB, the clients of both inventories, the evaluator of CEL and the demo included, and holds nothing of the tools and tests", () => {
    const bytes = [...built.sizes.values()].reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThan(4_000_000);
    const names = built.byPackage.map(([name]) => name);
    for (const name of ["vitest", "fast-check", "rolldown", "typescript"]) expect(names).not.toContain(name);
  });
});
