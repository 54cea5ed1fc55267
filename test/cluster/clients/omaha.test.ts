import { join } from "node:path";
import { afterAll, beforeAll, expect, it, type TestContext, vi } from "vitest";
import { ACCOUNT_POLICY, type AccountPolicy, accountPolicySpec } from "../../../src/api/account-policy.ts";
import type { ClientPolicy } from "../../../src/api/client-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout, clientRolloutSpec, type ClientRolloutStatus } from "../../../src/api/client-rollout.ts";
import type { Fleet } from "../../../src/api/fleet.ts";
import { ACCOUNT_LABEL } from "../../../src/api/names.ts";
import { FLEET } from "../../../src/api/resources.ts";
import { clientsOf, hashOf, newToken } from "../../../src/control/device-credentials.ts";
import { NAMESPACE } from "../../../src/control/kinds.ts";
import { inPhase, inStage } from "../../../src/core/client/client.examples.ts";
import { openInventory } from "../../../src/inventory/open.ts";
import { fleetDraft, FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { grantRights } from "../../../tools/control-plane/operator-rights.ts";
import { freePorts } from "../../../tools/control-plane/ports.ts";
import { startControlPlane } from "../../../tools/control-plane/run.ts";
import { ensureOmahaClient, OmahaClientUnavailable } from "../../../tools/omaha-client/install.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { ClusterWorld, groundWithKinds, type OperatorProcess } from "../rolls/cluster-world.ts";
import { Counterpart, eventsOf, reasonOf } from "./counterpart.ts";

const PATIENCE = { timeout: 20_000, interval: 1_000 };
const EVERYBODY = inPhase(3, 100, 100);
const ARTIFACT = { url: "https://artifacts.example.com/clients/client-5.12.3.msi", sha256: "9f86d081".repeat(8), size: 48_000_000 };

/** Kubernetes objects, a gateway process with no other rights than its own file gives, and the test in the place of the controllers. */
class GatewayWorld extends ClusterWorld {
  protected stopNodes(): Promise<void> {
    return Promise.resolve();
  }
}

describeWithControlPlane("a published Omaha client of another language before the gateway", () => {
  let world: GatewayWorld;
  let inventory: Awaited<ReturnType<typeof openInventory>>;
  let gateway: OperatorProcess;
  let program: string | undefined;
  let missing = "";
  let url = "";
  const token = newToken();
  const clients: Counterpart[] = [];

  beforeAll(async () => {
    program = await ensureOmahaClient().catch((error: unknown) => {
      if (!(error instanceof OmahaClientUnavailable)) throw error;
      missing = error.message;
      return undefined;
    });
    if (program === undefined) return;
    const controlPlane = await startControlPlane({ nodeMonitorGraceSeconds: 5 });
    world = new GatewayWorld(await groundWithKinds(controlPlane, Date.parse("2026-12-01T10:00:00Z")));
    await grantRights(controlPlane, "config/rbac/gateway.yaml", { kind: "User", name: "operator" });
    await world.cluster.create(NAMESPACE, { metadata: { name: "acme-ns", labels: { [ACCOUNT_LABEL]: "acme" } } });
    await world.apply<Fleet>(FLEET, fleetDraft());
    const spec = clientRolloutSpec.parse({
      os: "Windows",
      version: "5.12.3",
      announcedAt: "2026-11-02T09:00:00Z",
      generalAfter: "504h",
      artifact: ARTIFACT,
    });
    await world.apply<ClientRollout>(CLIENT_ROLLOUT, { metadata: { name: "windows-5-12-3", namespace: FLEET_NAMESPACE }, spec } as never);
    await status(EVERYBODY);
    const policies = accountPolicySpec.parse({ clients: { windows: { upgrade: "Automatic" } } });
    await world.apply<AccountPolicy>(ACCOUNT_POLICY, { metadata: { name: "account", namespace: "acme-ns" }, spec: policies } as never);
    const inventoryUrl = `sqlite:${join(world.folder, "inventory.db")}`;
    inventory = await openInventory(inventoryUrl);
    const now = world.calendar.now();
    await inventory.enroll({ account: clientsOf("acme"), tokenHash: hashOf(token), at: now, oldTokensUntil: now });
    const [port] = await freePorts(1);
    url = `http://127.0.0.1:${port}/omaha/v1/acme/${token}`;
    const address = `127.0.0.1:${port}`;
    gateway = await world.startOperator(["--gateway-only", "true", "--inventory", inventoryUrl, "--gateway-address", address]);
    await vi.waitFor(async () => expect((await inventory.clients.replicas()).length).toBe(1), { timeout: 30_000, interval: 100 });
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await inventory?.close();
    await world?.stop();
  });

  const rollout = async () => (await world.cluster.get<ClientRollout>(CLIENT_ROLLOUT, "windows-5-12-3", FLEET_NAMESPACE))!;
  const status = async (written: ClientRolloutStatus) =>
    world.cluster.updateStatus<ClientRollout>(CLIENT_ROLLOUT, { ...(await rollout()), status: written });
  const edit = async (change: Partial<ClientRollout["spec"]>) => {
    const found = await rollout();
    await world.cluster.update<ClientRollout>(CLIENT_ROLLOUT, { ...found, spec: { ...found.spec, ...change } });
  };
  const policy = async (windows: Partial<ClientPolicy>) => {
    const found = (await world.cluster.get<AccountPolicy>(ACCOUNT_POLICY, "account", "acme-ns"))!;
    const spec = accountPolicySpec.parse({ clients: { windows: { upgrade: "Automatic", ...windows } } });
    await world.cluster.update<AccountPolicy>(ACCOUNT_POLICY, { ...found, spec });
  };
  const client = (context: TestContext, device: string): Counterpart => {
    if (program === undefined) return context.skip(missing);
    const made = new Counterpart(program, url, "rollward.client.windows", device);
    clients.push(made);
    return made;
  };
  const known = (device: string) => inventory.clients.client({ account: "acme", device });

  it("is offered the version, installs it and reports; what it then says it runs confirms it, and the next answer is no update", async (context) => {
    const one = client(context, "d-1");
    const first = await one.check("5.11.0");
    expect(first.states).toContain("InstallingUpdate");
    expect(first.states).not.toContain("InstallationError");
    expect(first.wire.map((exchange) => exchange.status)).toEqual(Array(first.wire.length).fill(200));
    expect(eventsOf(first).map(({ eventtype, eventresult }) => [eventtype, eventresult])).toEqual([
      [13, 1],
      [14, 1],
      [3, 1],
    ]);
    await expect
      .poll(() => known("d-1"), PATIENCE)
      .toMatchObject({ attempts: [{ attemptedAt: expect.any(Number) as number, failures: 0 }] });
    expect((await known("d-1"))!.attempts[0]!.confirmedAt, "its own success is no proof").toBeUndefined();
    const second = await one.check("5.12.3");
    expect([second.states.includes("NoUpdateAvailable"), reasonOf(second)]).toEqual([true, "UpToDate"]);
    await expect.poll(async () => (await known("d-1"))!.attempts[0]!.confirmedAt, PATIENCE).toBeTypeOf("number");
  });

  it("[C4] [G8] a failure with its error code is counted as failed; after three it is not offered again", async (context) => {
    const one = client(context, "d-2");
    for (let attempt = 1; attempt <= 3; attempt++) {
      const failed = await one.check("5.11.0", "fails");
      expect(failed.states).toContain("InstallationError");
      expect(eventsOf(failed).at(-1)).toMatchObject({ eventtype: 3, eventresult: 0, errorcode: 2 });
    }
    expect(reasonOf(await one.check("5.11.0"))).toBe("FailedBefore");
    expect(await known("d-2")).toMatchObject({ attempts: [{ failures: 3, errorCode: 2, failedAt: expect.any(Number) as number }] });
    const { uid } = (await rollout()).metadata;
    await inventory.clients.recordCensus(uid, world.calendar.now(), []);
    const rows = (await inventory.clients.counted(uid))!.rows;
    expect(rows.reduce((sum, { numbers }) => sum + numbers.failed, 0)).toBe(1);
  });

  it("[C7] is told no update where it runs a newer version, and for each reason of account and provider within ten seconds", async (context) => {
    const one = client(context, "d-3");
    expect(reasonOf(await one.check("6.0.0"))).toBe("OlderVersion");
    const told = (reason: string) =>
      expect.poll(async () => reasonOf(await client(context, `d-${reason}`).check("5.11.0", "fails")), PATIENCE).toBe(reason);
    await policy({ upgrade: "Managed" });
    await told("PolicyManaged");
    await policy({ pause: { version: "5.12.3", reason: "our own freeze" } });
    await told("PausedByAccount");
    await policy({});
    await edit({ requested: "Paused", reason: "a crash in Lyon" });
    await told("Paused");
    await edit({ requested: "Run", floors: [{ version: "5.11.4", reason: "a new store" }] });
    await told("BelowFloor");
    await world.cluster.update<ClientRollout>(CLIENT_ROLLOUT, withoutFloors(await rollout()));
    await status(inStage("Pilot"));
    await told("AwaitingEvidence");
    await status(inPhase(1, 1, 1));
    await told("NotInPhase");
  });

  it("[C3] keeps the part of the fleet that it is told, and tells it with its next request, as a phase opens", async (context) => {
    const one = client(context, "d-4");
    const waiting = await one.check("5.11.0");
    expect([reasonOf(waiting), waiting.cohort.id]).toEqual(["NotInPhase", "waiting"]);
    await status(EVERYBODY);
    let offered = await one.check("5.11.0", "fails");
    await vi.waitFor(async () => {
      if (!offered.states.includes("InstallationError")) offered = await one.check("5.11.0", "fails");
      expect(offered.states).toContain("InstallationError");
    }, PATIENCE);
    expect(offered.wire[0]!.sent.request.app[0].cohort, "it said what it had been told").toBe("waiting");
    expect([offered.cohort.id, offered.cohort.name]).toEqual([
      expect.stringMatching(/^5\.12\.3\/phase-\d$/),
      expect.stringMatching(/^5\.12\.3 phase-\d$/),
    ]);
    const next = await one.check("5.11.0", "fails");
    expect(next.wire[0]!.sent.request.app[0].cohort).toBe(offered.cohort.id);
  });

  it("[C7] a file that is not in the gateway's folder is a reason of its own, and the gateway's sign of life tells the operator", async (context) => {
    const one = client(context, "d-6");
    const artifact = { ...ARTIFACT, url: "client-5.13.0.msi" };
    const { spec } = await rollout();
    const next = { metadata: { name: "windows-5-13-0", namespace: FLEET_NAMESPACE }, spec: { ...spec, version: "5.13.0", artifact } };
    const made = await world.apply<ClientRollout>(CLIENT_ROLLOUT, next as never);
    await world.cluster.updateStatus<ClientRollout>(CLIENT_ROLLOUT, { ...made, status: EVERYBODY });
    const told = async () => (await inventory.clients.replicas())[0]?.missing.get(made.metadata.uid);
    await expect.poll(told, PATIENCE).toBe("client-5.13.0.msi is a file of the gateway's own, and it has no folder; set --artifacts");
    expect(reasonOf(await one.check("5.12.3"))).toBe("ArtifactMissing");
    expect((await one.check("5.11.0")).states, "the version that stands is offered meanwhile").toContain("InstallingUpdate");
    await world.cluster.delete(CLIENT_ROLLOUT, "windows-5-13-0", FLEET_NAMESPACE);
    await expect.poll(told, PATIENCE).toBeUndefined();
  });

  it("[C5] [G15] a gateway that is stopped across a pause offers nothing when it goes on, and confirms the pause", async (context) => {
    const one = client(context, "d-5");
    const { uid } = (await rollout()).metadata;
    const replica = async () => (await inventory.clients.replicas())[0];
    gateway.kill("SIGSTOP");
    const asked = one.check("5.11.0");
    await edit({ requested: "Paused", reason: "stopped in mid-request" });
    await status({ ...EVERYBODY, pause: { id: 1, since: "2026-12-01T10:00:00Z" } });
    await expect.poll(async () => (await replica())?.silentMilliseconds, { timeout: 30_000, interval: 500 }).toBeGreaterThan(10_000);
    expect((await replica())?.pauses.get(uid)).toBeUndefined();
    gateway.kill("SIGCONT");
    expect((await asked).states).not.toContain("InstallingUpdate");
    await expect.poll(async () => (await replica())?.pauses.get(uid), PATIENCE).toBe(1);
    expect(reasonOf(await one.check("5.11.0"))).toBe("Paused");
  });

  it("takes leave of the inventory when it ends", async (context) => {
    if (program === undefined) return context.skip(missing);
    expect(await gateway.stop()).toBe(0);
    expect(await inventory.clients.replicas()).toEqual([]);
  });
});

function withoutFloors({ spec: { floors: _, ...spec }, ...rest }: ClientRollout): ClientRollout {
  return { ...rest, spec };
}
