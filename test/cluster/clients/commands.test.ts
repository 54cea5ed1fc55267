import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { API_VERSION } from "../../../src/api/common.ts";
import { openInventory } from "../../../src/inventory/open.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { PeoplesCluster } from "../people.ts";

const ROOT = join(import.meta.dirname, "../../..");
const POLICIES = `/apis/${API_VERSION}/namespaces/acme/accountpolicies`;
const POLICY = `${POLICIES}/account`;
const ROLLOUTS = `/apis/${API_VERSION}/namespaces/fleet/clientrollouts`;
const APPROVALS = `/apis/${API_VERSION}/namespaces/fleet/approvals`;
/** The account's administrator, and of the provider the release engineer and who approves. */
const [CUSTOMER, ENGINEER, APPROVER] = ["admin@acme.example", "anna@example.com", "olga@example.com"] as const;
const DIGEST = `sha256:${"a".repeat(64)}`;

describeWithControlPlane("[T3] the command line about Clients, on a real API server and a real inventory", () => {
  let cluster: PeoplesCluster;
  let folder: string;
  let inventory: string;

  const specOf = async <Spec>(path: string): Promise<Spec> => (await cluster.call<{ spec: Spec }>("GET", path)).spec;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rollward-commands-"));
    inventory = `sqlite:${join(folder, "inventory.db")}`;
    cluster = await PeoplesCluster.start([
      { name: CUSTOMER, role: "rollward-account-admin", namespace: "acme" },
      { name: ENGINEER, role: "rollward-release-engineer", namespace: "fleet" },
      { name: APPROVER, role: "rollward-approver", namespace: "fleet" },
    ]);
    const rollout = await cluster.call<{ metadata: { uid: string } }>("POST", ROLLOUTS, {
      apiVersion: API_VERSION,
      kind: "ClientRollout",
      metadata: { name: "windows-5-12-3" },
      spec: {
        os: "Windows",
        version: "5.12.3",
        announcedAt: "2026-11-02T09:00:00Z",
        generalAfter: "504h",
        artifact: { url: "client-5.12.3.msi", sha256: "9f86d081".repeat(8), size: 10 },
      },
    });
    const numbers = { eligible: 40, offered: 40, attempted: 30, confirmed: 29, failed: 1, unreachable: 10 };
    await cluster.call("PUT", `${ROLLOUTS}/windows-5-12-3/status`, {
      ...rollout,
      status: {
        effective: "Run",
        reached: { stage: "Phase", phase: 1, accountsPercent: 5, usersPercent: 20, timer: { accumulated: 0 } },
        stages: [{ name: "phase-1", openedAt: "2026-11-23T09:00:00Z", numbers }],
        digest: DIGEST,
      },
    });
    const policy = await cluster.call<object>("POST", POLICIES, {
      apiVersion: API_VERSION,
      kind: "AccountPolicy",
      metadata: { name: "account" },
      spec: { clients: { windows: { upgrade: "Automatic", pilotGroup: { groups: ["it"] } } } },
    });
    const seen = { rollout: "windows-5-12-3", uid: rollout.metadata.uid, os: "Windows", version: "5.12.3", stage: "phase-1" };
    const clients = [{ ...seen, inPhase: true, numbers, effective: "Run", nextAt: "2026-11-26T09:00:00Z" }];
    await cluster.call("PUT", `${POLICY}/status`, { ...policy, status: { account: "acme", clients } });
    // Rights are read from a cache that is moments behind.
    await vi.waitFor(async () => expect((await cluster.rollward(CUSTOMER, "status", "--account", "acme")).code).toBe(0), {
      timeout: 20_000,
    });
  });
  afterAll(async () => {
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("[I15] an account sees the whole of its rollout with rights to its own namespace alone", async () => {
    const { code, out, error } = await cluster.rollward(CUSTOMER, "status", "clientrollout/windows-5-12-3", "--account", "acme");
    expect([code, error]).toEqual([0, ""]);
    expect(out).toMatch(/windows-5-12-3 +Windows +5\.12\.3 +phase-1 +reached +40 +40 +30 +29 +1 +10 .* Run +Thursday 2026-11-26 09:00 UTC/);
    const others = await cluster.rollward(CUSTOMER, "status", "clientrollout/windows-5-12-3");
    expect([others.code, others.error]).toEqual([1, expect.stringMatching(/cannot get resource "clientrollouts".*as a customer/)]);
    const client = await cluster.rollward(CUSTOMER, "explain", "client", "acme/d-1");
    expect([client.code, client.error]).toEqual([0, ""]);
    expect(client.out).toMatch(
      /This is the account's view\n(.*\n)*.*Windows 5\.12\.3 by ClientRollout windows-5-12-3: stage phase-1 is open/,
    );
  });

  it("[C5] an account pauses a version for itself and lifts it; the server takes both", async () => {
    const words = ["clients", "--account", "acme", "--os", "windows"];
    expect(await cluster.rollward(CUSTOMER, "pause", ...words, "--version", "5.12.3", "--reason", "an audit")).toMatchObject({
      code: 0,
      error: "",
    });
    expect(await specOf(POLICY)).toMatchObject({ clients: { windows: { pause: { version: "5.12.3", reason: "an audit" } } } });
    expect((await cluster.rollward(CUSTOMER, "resume", ...words)).code).toBe(0);
    expect(await specOf<{ clients: { windows: object } }>(POLICY)).not.toHaveProperty("clients.windows.pause");
  });

  it("[C4] [C5] the provider approves with the numbers shown, pauses, resumes and stops; the account may not", async () => {
    const approved = await cluster.rollward(APPROVER, "approve", "cliro/windows-5-12-3", "--reason", "few, and well");
    expect([approved.code, approved.error]).toEqual([0, ""]);
    expect(approved.out).toMatch(
      /olga@example\.com approves Promote of ClientRollout windows-5-12-3, stage phase-1\nStage phase-1: 40 eligible, .* 1 failed/,
    );
    const { items } = await cluster.call<{ items: { spec: object }[] }>("GET", APPROVALS);
    expect(items.map(({ spec }) => spec)).toEqual([
      expect.objectContaining({ for: expect.objectContaining({ kind: "ClientRollout", digest: DIGEST }) as unknown }),
    ]);
    const path = `${ROLLOUTS}/windows-5-12-3`;
    expect((await cluster.rollward(ENGINEER, "pause", "cliro/windows-5-12-3", "--reason", "a report")).code).toBe(0);
    expect(await specOf(path)).toMatchObject({ requested: "Paused", reason: "a report" });
    expect((await cluster.rollward(ENGINEER, "resume", "cliro/windows-5-12-3")).code).toBe(0);
    expect(await specOf(path)).toMatchObject({ requested: "Run" });
    expect((await cluster.rollward(CUSTOMER, "stop", "cliro/windows-5-12-3", "--reason", "no")).error).toContain("cannot get resource");
    expect((await cluster.rollward(ENGINEER, "stop", "cliro/windows-5-12-3", "--reason", "it crashes")).code).toBe(0);
    expect(await cluster.rollward(ENGINEER, "resume", "cliro/windows-5-12-3")).toMatchObject({
      code: 4,
      error: expect.stringContaining("which is for ever: it crashes") as unknown,
    });
  });

  it("[C3] a directory is imported into the real inventory; users by version, one Client explained, a plan over both", async () => {
    const file = join(folder, "users.csv");
    await writeFile(file, "user,groups,devices\nanna,it,d-1;d-2\nbob,,d-3\n");
    const imported = await promisify(execFile)(process.execPath, [
      join(ROOT, "src/main.ts"),
      "directory",
      "import",
      file,
      "--account",
      "acme",
      "--inventory",
      inventory,
    ]);
    expect(imported.stdout).toBe("the directory of acme has 2 users in 1 group, 3 devices\nusers: 2 come\ndevices: 3 come\n");
    const importing = (account: string, path: string) =>
      promisify(execFile)(
        process.execPath,
        [join(ROOT, "src/main.ts"), "directory", "import", path, "--account", account, "--inventory", inventory],
        { env: { ...process.env, KUBECONFIG: cluster.kubeconfig("admin") } },
      ).catch((failed: unknown) => failed);
    expect(await importing("acmee", file)).toMatchObject({ code: 4, stderr: expect.stringContaining("did you mean acme?") as unknown });
    const latin1 = join(folder, "latin1.csv");
    await writeFile(latin1, Buffer.from("user\n\u00e5sa\n", "latin1"));
    expect(await importing("acme", latin1)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("line 2 holds the byte 0xE5") as unknown,
    });
    const open = await openInventory(inventory);
    await open.clients.record(
      [
        ["d-1", "anna"],
        ["d-2", "anna"],
        ["d-3", "bob"],
      ].map(([device = "", user = ""]) => ({
        account: "acme",
        device,
        user,
        at: Date.now(),
        os: "Windows" as const,
        version: "5.11.0",
        offered: false,
      })),
    );
    await open.close();
    const users = (...words: string[]) => cluster.rollward("admin", "users", ...words, "--inventory", inventory);
    expect((await users("--account", "acme", "--version", "5.11.0")).out).toMatch(/\nacme +Windows +5\.11\.0 +2 +3 +100\.0 %\n$/);
    expect((await users("--account", "acme", "--pilots", "--names", "-o", "csv")).out).toMatch(
      /^user,device.*\r\nanna,d-1,Windows,5\.11\.0,.*,it\r\nanna,d-2,/,
    );
    const explained = await cluster.rollward("admin", "explain", "client", "acme/d-3", "--inventory", inventory);
    expect([explained.code, explained.error]).toEqual([0, ""]);
    expect(explained.out).toContain("Client acme/d-3 (Windows) runs 5.11.0; nothing is offered to it (Stopped)");
    const next = (await readFile(join(ROOT, "config/samples/clients/clientrollout.yaml"), "utf8")).split("\n---\n")[0]!;
    const manifest = join(folder, "next.yaml");
    await writeFile(
      manifest,
      next.replaceAll("5.12.3", "5.13.0").replaceAll("5-12-3", "5-13-0").replace("requested: Stopped", "requested: Run"),
    );
    const plan = await cluster.rollward("admin", "plan", "-f", manifest, "--cluster", "--inventory", inventory, "-o", "json");
    const { clients } = JSON.parse(plan.out) as {
      clients: { rollouts: { name: string; stages: { name: string; users: number }[] }[]; curves: { users: number }[] };
    };
    expect(clients.curves[0]!.users).toBe(2);
    expect(clients.rollouts.find(({ name }) => name === "windows-5-13-0")!.stages[0]).toMatchObject({ name: "pilot", users: 1 });
  });
});
