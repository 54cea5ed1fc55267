import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Fleet } from "../../../src/api/fleet.ts";
import { ACCOUNT_LABEL } from "../../../src/api/names.ts";
import { FLEET, MAINTENANCE_WINDOW } from "../../../src/api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout, socketRolloutSpec } from "../../../src/api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite, socketSiteSpec } from "../../../src/api/socket-site.ts";
import { NAMESPACE } from "../../../src/control/kinds.ts";
import { commandRow } from "../../../src/core/socket/command.examples.ts";
import type { CommandRow } from "../../../src/core/socket/command.ts";
import { hashOf, newToken } from "../../../src/control/device-credentials.ts";
import { openInventory } from "../../../src/inventory/open.ts";
import { fleetDraft, FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { freePorts } from "../../../tools/control-plane/ports.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import type { OperatorProcess } from "../rolls/cluster-world.ts";
import { RealWorld } from "../rolls/real-world.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };
const ARTIFACT = { url: "https://artifacts.example.com/socket-18.3.3.swu", sha256: "9f86d081".repeat(8), size: 184_320_000 };

describeWithControlPlane("a gateway in a process of its own, with the operator's rights", () => {
  let world: RealWorld;
  let inventory: Awaited<ReturnType<typeof openInventory>>;
  let gateway: OperatorProcess;
  let port = 0;
  let site: SocketSite;
  let rollout: SocketRollout;
  const token = newToken();

  beforeAll(async () => {
    world = await RealWorld.start({ start: "2026-11-29T00:00:00Z", pops: { fra1: 1 } });
    await world.cluster.create(NAMESPACE, { metadata: { name: "acme", labels: { [ACCOUNT_LABEL]: "acme" } } });
    await world.apply<Fleet>(FLEET, fleetDraft());
    const spec = socketRolloutSpec.parse({ version: "18.3.3", announcedAt: "2026-11-20T09:00:00Z", artifact: ARTIFACT });
    rollout = await world.apply<SocketRollout>(SOCKET_ROLLOUT, {
      metadata: { name: "socket-18-3-3", namespace: FLEET_NAMESPACE },
      spec,
    } as never);
    const sockets = [{ serial: "S-2002", role: "Primary" }];
    // The gateway looks at its freezes; whether it is open, the row says.
    const sundays = { schedule: { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] }, timeZone: "Local", notice: "48h" };
    await world.apply(MAINTENANCE_WINDOW, { metadata: { name: "sockets", namespace: "acme" }, spec: sundays } as never);
    const berlin = socketSiteSpec.parse({ timeZone: "Europe/Berlin", sockets, windowRef: { name: "sockets" } });
    site = await world.apply<SocketSite>(SOCKET_SITE, { metadata: { name: "berlin", namespace: "acme" }, spec: berlin } as never);
    const url = `sqlite:${join(world.folder, "inventory.db")}`;
    inventory = await openInventory(url);
    const now = world.calendar.now();
    await inventory.enroll({ account: "acme", serial: "S-2002", tokenHash: hashOf(token), at: now, oldTokensUntil: now });
    [port = 0] = await freePorts(1);
    const intervals = ["--poll-interval", "5m", "--poll-interval-near", "10s"];
    gateway = await world.startOperator([
      "--gateway-only",
      "true",
      "--inventory",
      url,
      "--gateway-address",
      `127.0.0.1:${port}`,
      ...intervals,
    ]);
    await vi.waitFor(poll, PATIENCE);
  });
  afterAll(async () => {
    await inventory?.close();
    await world?.stop();
  });

  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/acme/controller/v1/S-2002${path}`, { ...init, headers: { authorization: `TargetToken ${token}` } });
  const poll = async (): Promise<Record<string, unknown>> =>
    ((await (await call("")).json()) as { _links: Record<string, unknown> })._links;
  /** The operator's part: the claim in the site's status, and the row. */
  const command = async (attempt: number, milliseconds: number): Promise<CommandRow> => {
    const [uid, now] = [site.metadata.uid, world.calendar.now()];
    const id = `${uid}.1.S-2002.${attempt}`;
    const place = { namespace: "acme", name: "berlin", uid };
    const row = commandRow({
      id,
      action: attempt,
      site: place,
      rollout: rollout.metadata.uid,
      notBefore: now,
      notAfter: now + milliseconds,
    });
    const iso = (at: number) => new Date(at).toISOString();
    const written = { id, serial: "S-2002", version: "18.3.3", notBefore: iso(row.notBefore), notAfter: iso(row.notAfter) };
    const upgrade = {
      version: "18.3.3",
      rollout: { name: "socket-18-3-3", uid: row.rollout },
      cause: "Rollout" as const,
      step: "InProgress" as const,
      since: iso(now),
      command: { ...written, claimedAt: iso(now), state: "Open" as const },
    };
    const found = await world.cluster.get<SocketSite>(SOCKET_SITE, "berlin", "acme");
    await world.cluster.updateStatus<SocketSite>(SOCKET_SITE, { ...found!, status: { upgrade } });
    expect(await inventory.insertCommand(row)).toBe(true);
    return row;
  };
  const stateOf = async ({ id, site: { uid } }: CommandRow) =>
    (await inventory.site({ uid, account: "acme", serials: ["S-2002"], named: id })).commands.get(id)?.state;

  it("[I3] [G15] stopped across the end of the window it answers afterwards with nothing", async () => {
    expect(Object.keys(await poll())).toEqual(["configData"]);
    expect((await call("/configData", { method: "PUT", body: '{"data":{"version":"17.2"}}' })).status).toBe(200);
    // Long enough for what comes before the stop: the window is not to end there.
    const row = await command(1, 15_000);
    expect(Object.keys(await poll())).toEqual(["deploymentBase"]);
    gateway.kill("SIGSTOP");
    const asked = call("/deploymentBase/1");
    await expect.poll(() => world.calendar.now(), PATIENCE).toBeGreaterThan(row.notAfter);
    gateway.kill("SIGCONT");
    expect((await asked).status).toBe(404);
    expect(await stateOf(row)).toBe("Open");
    expect(await inventory.act(row.id, "withdraw", world.calendar.now())).toBe(true);
  });

  it("[G13] [G15] a paused Fleet is obeyed within 10 s, and after it the row is given", async () => {
    const row = await command(2, 3_600_000);
    expect(Object.keys(await poll())).toEqual(["deploymentBase"]);
    const fleet = await world.cluster.get<Fleet>(FLEET, "fleet", FLEET_NAMESPACE);
    const paused = await world.cluster.update<Fleet>(FLEET, { ...fleet!, spec: { ...fleet!.spec, paused: true } });
    await expect.poll(poll, { timeout: 10_000, interval: 1_000 }).toEqual({});
    expect([(await call("/deploymentBase/2")).status, await stateOf(row)]).toEqual([404, "Open"]);
    await world.cluster.update<Fleet>(FLEET, { ...paused, spec: { ...paused.spec, paused: false } });
    await expect.poll(async () => (await call("/deploymentBase/2")).status, { ...PATIENCE, interval: 1_000 }).toBe(200);
    expect(await stateOf(row)).toBe("Given");
  });
});
