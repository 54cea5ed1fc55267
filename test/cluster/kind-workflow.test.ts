// What the hosted workflow does on a kind cluster (.github/workflows/ci.yaml), done here on a control plane without Docker: its own
// scripts, word for word, after the step that makes the cluster.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { startControlPlane, type ControlPlane } from "../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "./control-plane/available.ts";

const ROOT = join(import.meta.dirname, "../..");

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly if?: string;
}

const { jobs } = parse(readFileSync(join(ROOT, ".github/workflows/ci.yaml"), "utf8")) as { jobs: { kind: { steps: Step[] } } };
/** Without what makes the cluster, and what is done only after a failure. */
const scripts = jobs.kind.steps.filter(({ run = "kind ", if: only }) => !run.startsWith("kind ") && only === undefined);

describeWithControlPlane("[T3] the scripts of the workflow on kind", () => {
  let controlPlane: ControlPlane;
  let home: string;
  const left: ChildProcess[] = [];

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    home = mkdtempSync(join(tmpdir(), "rollward-kind-"));
    mkdirSync(join(home, ".kube"));
    cpSync(controlPlane.kubeconfig("admin"), join(home, ".kube/config"));
  });
  afterAll(async () => {
    // What a script leaves running is in its group.
    for (const { pid } of left) {
      try {
        process.kill(-pid!, "SIGTERM");
      } catch {
        // Nothing of it is left.
      }
    }
    await controlPlane?.stop();
    // It may still be writing there.
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  it.each(scripts)("$name", async ({ run }) => {
    const PATH = [dirname(controlPlane.binaries.kubectl), dirname(process.execPath), process.env["PATH"]].join(delimiter);
    const { KUBECONFIG: _, ...others } = process.env;
    const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", run!], {
      cwd: ROOT,
      detached: true,
      env: { ...others, HOME: home, RUNNER_TEMP: home, PATH },
      stdio: ["ignore", "pipe", "pipe"],
    });
    left.push(child);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    const [code] = (await once(child, "exit")) as [number];
    const log = join(home, "operator.log");
    expect(code, existsSync(log) ? `${said}\n${readFileSync(log, "utf8")}` : said).toBe(0);
  });
});
