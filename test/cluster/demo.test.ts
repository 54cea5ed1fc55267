import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { readAuditLog } from "../../tools/control-plane/audit-log.ts";
import { freePorts } from "../../tools/control-plane/ports.ts";
import { DemoProcess } from "../demo-process.ts";
import { describeWithControlPlane } from "./control-plane/available.ts";

const MINUTE = 60_000;

class Demo extends DemoProcess {
  /** The control plane's folder, as the lines for kubectl name it. */
  get folder(): string {
    return /--kubeconfig (\S+)\/admin\.kubeconfig/.exec(this.text)?.[1] ?? "";
  }
}

/** Processes whose command line names the text. */
async function processesOf(text: string): Promise<string[]> {
  const ps = spawn("ps", ["-eo", "pid=,args="], { stdio: ["ignore", "pipe", "ignore"] });
  let lines = "";
  ps.stdout.setEncoding("utf8").on("data", (more: string) => (lines += more));
  await once(ps, "close");
  return lines.split("\n").filter((line) => line.includes(text));
}

/** By the server's own account: what the operator does it does as its own user, who has the shipped RBAC alone, and is refused nothing. */
function operatorActsWithItsRights(auditLog: string): void {
  const entries = readAuditLog(auditLog).filter((entry) => entry.userAgent.startsWith("rollward/"));
  const ledgers = entries.filter(({ objectRef }) => objectRef?.resource === "popclusters" && objectRef.subresource === "status");
  expect(new Set(ledgers.map((entry) => entry.user.username))).toEqual(new Set(["operator"]));
  const ofOperator = entries.filter((entry) => entry.user.username === "operator");
  expect(ofOperator.filter((entry) => entry.responseStatus?.code === 403).map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual(
    [],
  );
}

describeWithControlPlane("[T3] rollward demo --real", () => {
  let demo: Demo | undefined;
  afterEach(async () => {
    demo?.child.kill("SIGTERM");
    await demo?.ended();
  });

  it(
    "--fast --act 1 plays all eight chapters on a real API server within 6 minutes, ends with 0, and leaves no process and no folder",
    async () => {
      demo = new Demo(["--real", "--fast", "--act", "1"]);
      const code = await demo.ended();
      expect(code, demo.text.slice(-4_000)).toBe(0);
      expect(demo.text).toContain("== Act 1, 8 of 8");
      expect(demo.text).toContain("✓ all 4 nodes of Tokyo run 1.2.4");
      expect(demo.text).toContain("✓ all 4 nodes of Berlin run 1.2.4");
      expect(existsSync(demo.folder)).toBe(false);
      expect(await processesOf(demo.folder)).toEqual([]);
    },
    6 * MINUTE,
  );

  it(
    "--fast --act 2 takes a release through forty PoPs on a real API server within 6 minutes, ends with 0, and leaves nothing",
    async () => {
      demo = new Demo(["--real", "--fast", "--act", "2"]);
      const code = await demo.ended();
      expect(code, demo.text.slice(-4_000)).toBe(0);
      expect(demo.text).toContain("✓ 2026.11.2 halts in its second wave");
      expect(demo.text).toContain("✓ all 43 nodes of the 40 PoPs run 2026.11.2.1");
      expect(existsSync(demo.folder)).toBe(false);
      expect(await processesOf(demo.folder)).toEqual([]);
    },
    6 * MINUTE,
  );

  it.each([
    ["SIGINT", 130],
    ["SIGKILL", null],
    ["| head", 141],
  ] as const)("ended in the middle by %s it leaves no process and no folder", async (by, ends) => {
    const [port] = await freePorts(1);
    demo = new Demo(["--real", "--fast", "--metrics", String(port)]);
    await vi.waitFor(() => expect(demo?.text).toContain("joins with 1.0.0"), { timeout: MINUTE, interval: 100 });
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(page).toMatch(/^rollward_leader 1$/m);
    expect(page).toMatch(/^rollward_api_requests_total\{verb="watch",kind="PoPCluster",code="200"\} \d+$/m);
    expect(await processesOf(demo.folder)).not.toEqual([]);
    operatorActsWithItsRights(join(demo.folder, "audit.log"));
    if (by === "| head") demo.child.stdout?.destroy();
    else demo.child.kill(by);
    expect(await demo.ended()).toBe(ends);
    await vi.waitFor(async () => expect(await processesOf(demo!.folder)).toEqual([]), { timeout: 20_000, interval: 200 });
    await vi.waitFor(() => expect(existsSync(demo!.folder)).toBe(false), { timeout: 20_000, interval: 200 });
  });
});
