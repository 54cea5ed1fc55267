// N → N+1 → N while Sockets and Clients are upgraded: operator and gateway are processes of their own with PostgreSQL between them, as the
// chart installs them. builds.ts says what N+1 brings; here that is a migration of the inventory and a field of three statuses.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it, type TestContext } from "vitest";
import { ACCOUNT_POLICY, type AccountPolicy, accountPolicySpec } from "../../../src/api/account-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout, clientRolloutSpec, type ClientRolloutSpec } from "../../../src/api/client-rollout.ts";
import type { Fleet } from "../../../src/api/fleet.ts";
import { ACCOUNT_LABEL } from "../../../src/api/names.ts";
import { FLEET, MAINTENANCE_WINDOW } from "../../../src/api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout, socketRolloutSpec } from "../../../src/api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite, socketSiteSpec } from "../../../src/api/socket-site.ts";
import { clientsOf, hashOf, newToken } from "../../../src/control/device-credentials.ts";
import { LEASE, NAMESPACE } from "../../../src/control/kinds.ts";
import { ApiError } from "../../../src/control/ports.ts";
import { openInventory } from "../../../src/inventory/open.ts";
import { fleetDraft, FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { freePorts } from "../../../tools/control-plane/ports.ts";
import { type RunningPostgres, startPostgres } from "../../../tools/postgres/run.ts";
import { whyNoPostgres } from "../../conformance/inventory/worlds.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { operatorWrites, succeeded } from "../rolls/audit.ts";
import type { OperatorProcess } from "../rolls/cluster-world.ts";
import { eventually } from "../rolls/pops.ts";
import { RealWorld } from "../rolls/real-world.ts";
import { type Build, LATER_MIGRATION, twoBuilds } from "./builds.ts";
import { HeldSocket } from "./held-socket.ts";

const PATIENCE = { timeout: 60_000, interval: 100 };
const LEASE_FLAGS = ["--lease-duration", "3s", "--renew-deadline", "2s", "--retry-period", "1s"];
const WEDNESDAY = "2026-11-25T12:00:00Z";
const ARTIFACT = { url: "https://artifacts.example.com/a.bin", sha256: "9f86d081".repeat(8), size: 184_320_000 };
const WINDOWS = { sundays: "Sunday", mondays: "Monday" } as const;
/** 01:00 to 03:00 in Berlin. */
const OPEN = {
  sundays: { from: Date.parse("2026-11-29T00:00:00Z"), until: Date.parse("2026-11-29T02:00:00Z") },
  mondays: { from: Date.parse("2026-11-30T00:00:00Z"), until: Date.parse("2026-11-30T02:00:00Z") },
};
const SITES = { berlin: { windowRef: "sundays", serials: ["S-2001", "S-2002"] }, hamburg: { windowRef: "mondays", serials: ["S-3001"] } };
/** How fast the calendar goes while a Socket proves itself, which takes a minute of it. */
const PROVING = 15;
type Site = keyof typeof SITES;

/** An operator and the gateway beside it, of one build. */
interface Release {
  readonly build: Build;
  readonly operator: OperatorProcess;
  readonly gateway: OperatorProcess;
  readonly port: number;
}

describeWithControlPlane("[T3] N → N+1 → N while Sockets and Clients are upgraded", () => {
  let world: RealWorld;
  let postgres: RunningPostgres | undefined;
  let missing = "";
  let inventory: Awaited<ReturnType<typeof openInventory>>;
  let n: Build;
  let next: Build;
  let nRuns: Release;
  let nextRuns: Release;
  let ports: number[] = [];
  const tokens = { clients: newToken() };
  const sockets: Record<string, HeldSocket> = {};
  /** What was seen of the rollout of Clients, each time that somebody looked. */
  const stages: string[] = [];
  let promised: unknown;

  beforeAll(async () => {
    postgres = await startPostgres().catch((error: unknown) => {
      missing = whyNoPostgres(error);
      return undefined;
    });
    if (postgres === undefined) return;
    world = await RealWorld.start({ start: WEDNESDAY, pops: { fra1: 1 } });
    ({ n, next } = await twoBuilds(join(world.folder, "builds")));
    await applyKinds(n);
    await writeObjects();
    nRuns = await start(n, "n");
    inventory = await openInventory(postgres.url);
    await enrollDevices();
    for (const site of ["berlin", "hamburg"] as const)
      await siteUntil(
        site,
        (status) =>
          status?.sockets?.length === SITES[site].serials.length &&
          status.sockets.every(({ connected, version }) => connected && version !== undefined),
      );
  }, 180_000);
  afterAll(async () => {
    await Promise.all(Object.values(sockets).map((socket) => socket.end()));
    await inventory?.close();
    await world?.stop();
    await postgres?.stop();
  });

  const applyKinds = async ({ version, crds }: Build) => {
    const { controlPlane, folder } = world;
    const file = join(folder, `crds-${version}.yaml`);
    writeFileSync(file, crds);
    const words = ["--kubeconfig", controlPlane.kubeconfig("admin"), "apply", "--server-side", "--force-conflicts", "-f", file];
    await promisify(execFile)(controlPlane.binaries.kubectl, words);
  };

  async function writeObjects(): Promise<void> {
    await world.cluster.create(NAMESPACE, { metadata: { name: "acme", labels: { [ACCOUNT_LABEL]: "acme" } } });
    await world.apply<Fleet>(FLEET, fleetDraft());
    for (const [name, day] of Object.entries(WINDOWS)) {
      const spec = { schedule: { weekly: [{ day, start: "01:00", end: "03:00" }] }, timeZone: "Local", notice: "48h" };
      await world.apply(MAINTENANCE_WINDOW, { metadata: { name, namespace: "acme" }, spec } as never);
    }
    const clients = { windows: { upgrade: "Automatic", pilotGroup: { users: ["anna@acme.example"] } } };
    const policy = accountPolicySpec.parse({ clients });
    await world.apply<AccountPolicy>(ACCOUNT_POLICY, { metadata: { name: "account", namespace: "acme" }, spec: policy } as never);
    for (const [name, { windowRef, serials }] of Object.entries(SITES)) {
      const roles = serials.map((serial, index) => ({ serial, role: index === 0 ? "Primary" : "Secondary" }));
      const spec = socketSiteSpec.parse({ timeZone: "Europe/Berlin", sockets: roles, windowRef: { name: windowRef } });
      await world.apply<SocketSite>(SOCKET_SITE, { metadata: { name, namespace: "acme" }, spec } as never);
    }
    const announcedAt = new Date(world.calendar.now() - 3_600_000).toISOString();
    const clientSpec = clientRolloutSpec.parse({ os: "Windows", version: "5.12.3", announcedAt, generalAfter: "504h", artifact: ARTIFACT });
    await world.apply<ClientRollout>(CLIENT_ROLLOUT, {
      metadata: { name: "windows", namespace: FLEET_NAMESPACE },
      spec: clientSpec,
    } as never);
  }

  async function enrollDevices(): Promise<void> {
    const now = world.calendar.now();
    await inventory.enroll({ account: clientsOf("acme"), tokenHash: hashOf(tokens.clients), at: now, oldTokensUntil: now });
    for (const { serials } of Object.values(SITES))
      for (const [index, serial] of serials.entries()) {
        const token = newToken();
        await inventory.enroll({ account: "acme", serial, tokenHash: hashOf(token), at: now, oldTokensUntil: now });
        const attributes = { model: "X1600", "ha.state": index === 0 ? "active" : "standby", "ha.keepalive": "true" };
        sockets[serial] = new HeldSocket({ serial, token, attributes, now: () => world.calendar.now(), ports: () => ports });
      }
  }

  /** Both processes; when this resolves, the operator and the gateway are ready and devices ask the gateway too. */
  const start = async (build: Build, name: string): Promise<Release> => {
    const [port = 0] = await freePorts(1);
    const polls = ["--poll-interval", "3s", "--poll-interval-near", "3s"];
    const store = ["--inventory", postgres!.url];
    const own = ["--gateway-only", "true", "--gateway-address", `127.0.0.1:${port}`, "--identity", `${name}-gateway`];
    const [operator, gateway] = await Promise.all([
      world.startOperator([...LEASE_FLAGS, ...store, "--identity", name], build.program),
      world.startOperator([...store, ...polls, ...own], build.program),
    ]);
    for (const each of [operator, gateway])
      await eventually(
        () => readiness(each),
        (found) => expect(found).toBe("ready"),
      );
    ports.push(port);
    return { build, operator, gateway, port };
  };
  const readiness = async ({ metricsPort, child, log }: OperatorProcess): Promise<string> => {
    if (child.exitCode !== null) return `ended with ${child.exitCode}: ${log().slice(-400)}`;
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/readyz`).catch(() => undefined);
    return answer === undefined ? "no answer" : answer.ok ? "ready" : answer.text();
  };
  const holder = async () =>
    ((await world.cluster.get(LEASE, "rollward", FLEET_NAMESPACE)) as { spec?: { holderIdentity?: string } } | undefined)?.spec
      ?.holderIdentity;
  const leads = (name: string) => expect.poll(holder, PATIENCE).toBe(name);
  const end = async ({ operator, gateway, port }: Release, signal: "SIGTERM" | "SIGKILL") => {
    ports = ports.filter((each) => each !== port);
    for (const each of [operator, gateway]) {
      const over = once(each.child, "close");
      each.kill(signal);
      await over;
    }
  };

  const siteOf = async (name: Site) => (await world.cluster.get<SocketSite>(SOCKET_SITE, name, "acme"))!;
  const siteUntil = async (name: Site, is: (status: SocketSite["status"]) => boolean): Promise<SocketSite> => {
    await eventually(
      async () => (await siteOf(name)).status,
      (status) => expect(is(status) || JSON.stringify(status)).toBe(true),
    );
    return siteOf(name);
  };
  /** What the site was promised: nothing of it may move. */
  const promiseOf = async (name: Site) => {
    const { start: planned, announced, notice, window } = (await siteOf(name)).status!.upgrade!;
    return { planned, announced, notice, window };
  };
  const isUpToDate = (status: SocketSite["status"]): boolean =>
    status?.conditions?.some((condition) => condition.type === "UpToDate" && condition.status === "True") === true;
  /** It is let install what it has begun, or begins. */
  const installs = async (serial: string) => {
    sockets[serial]!.release();
    await expect.poll(() => sockets[serial]!.version, PATIENCE).toBe("18.0.1");
  };
  const socketRollout = async () => (await world.cluster.get<SocketRollout>(SOCKET_ROLLOUT, "socket", FLEET_NAMESPACE))!;
  const clientRollout = async () => {
    const found = (await world.cluster.get<ClientRollout>(CLIENT_ROLLOUT, "windows", FLEET_NAMESPACE))!;
    stages.push(found.status?.stages?.map(({ name, openedAt }) => `${name} ${openedAt}`).join() ?? "");
    return found;
  };
  const effective = async () => (await clientRollout()).status?.effective;
  const editClients = async (change: Partial<ClientRolloutSpec>): Promise<void> => {
    for (;;) {
      const found = await clientRollout();
      try {
        await world.cluster.update<ClientRollout>(CLIENT_ROLLOUT, { ...found, spec: { ...found.spec, ...change } });
        return;
      } catch (error) {
        if (!(error instanceof ApiError && error.code === 409)) throw error;
      }
    }
  };
  /** A pilot's computer asks one gateway whether there is something for it. */
  const checkIn = async ({ port }: Release, machineid: string): Promise<string> => {
    const app = { appid: "rollward.client.windows", version: "5.11.0", user: "anna@acme.example", machineid, updatecheck: {} };
    const headers = { authorization: `ClientToken ${tokens.clients}`, "content-type": "application/json" };
    const body = JSON.stringify({ request: { protocol: "3.1", requestid: randomUUID(), app: [app] } });
    const response = await fetch(`http://127.0.0.1:${port}/omaha/v1/acme`, { method: "POST", headers, body });
    const text = await response.text();
    if (!response.ok) return `${response.status}`;
    const said = JSON.parse(text.slice(text.indexOf("{"))) as { response: { app: { updatecheck?: { status: string } }[] } };
    return said.response.app[0]?.updatecheck?.status ?? "nothing said";
  };
  const later = async () => {
    const objects = [await siteOf("berlin"), await siteOf("hamburg"), await socketRollout(), await clientRollout()];
    return objects.map(({ status }) => (status as { later?: string } | undefined)?.later);
  };
  const inStore = async (statement: string): Promise<unknown[]> => {
    const client = new Client({ connectionString: postgres!.url });
    await client.connect();
    try {
      return (await client.query<{ said: unknown }>(statement)).rows.map(({ said }) => said);
    } finally {
      await client.end();
    }
  };
  const needsPostgres = (context: TestContext) => {
    if (postgres === undefined) context.skip(missing);
  };

  it("[I21] [S2] N+1 beside N, which ends by SIGTERM with a command in hand: nobody begins twice, no promise moves, a pause holds", async (context) => {
    needsPostgres(context);
    await expect.poll(() => checkIn(nRuns, "d-1"), PATIENCE).toBe("ok");
    const spec = socketRolloutSpec.parse({
      version: "18.0.1",
      announcedAt: new Date(world.calendar.now()).toISOString(),
      expected: { download: "0s", install: "20m", failover: "1m", verify: "1m" },
      ramp: [{ percent: 100 }],
      artifact: ARTIFACT,
    });
    await world.apply<SocketRollout>(SOCKET_ROLLOUT, { metadata: { name: "socket", namespace: FLEET_NAMESPACE }, spec } as never);
    const { status } = await siteUntil("berlin", (found) => found?.upgrade?.start !== undefined);
    await siteUntil("hamburg", (found) => found?.upgrade?.start !== undefined);
    await world.calendar.jumpTo(Date.parse(status!.upgrade!.start!));
    promised = await promiseOf("hamburg");
    await expect.poll(() => sockets["S-2002"]!.begun.length, PATIENCE).toBe(1);

    await applyKinds(next);
    nextRuns = await start(next, "next");
    await leads("n");
    expect(await inStore("select name as said from rollward_migration order by name desc limit 1")).toEqual([LATER_MIGRATION]);
    expect([await checkIn(nRuns, "d-1"), await checkIn(nextRuns, "d-1")], "who was offered it is offered it by both").toEqual(["ok", "ok"]);
    await editClients({ requested: "Paused", reason: "printers stop" });
    await expect.poll(effective, PATIENCE).toBe("Paused");
    for (const each of [nRuns, nextRuns]) for (const device of ["d-1", "d-2"]) expect(await checkIn(each, device)).toBe("noupdate");

    await end(nRuns, "SIGTERM");
    await leads("next");
    // The status of a site with a command in hand rests until the Socket has moved.
    await expect.poll(async () => (await later()).slice(1), PATIENCE).toEqual(["N+1", "N+1", "N+1"]);
    expect([await effective(), await checkIn(nextRuns, "d-1"), await checkIn(nextRuns, "d-3")]).toEqual(["Paused", "noupdate", "noupdate"]);
    expect(sockets["S-2001"]!.begun, "its partner has not proved itself").toEqual([]);
    await installs("S-2002");
    await world.calendar.setRate(PROVING);
    await expect.poll(() => sockets["S-2001"]!.begun.length, PATIENCE).toBe(1);
    await world.calendar.setRate(1);
    await expect.poll(later, PATIENCE).toEqual(["N+1", "N+1", "N+1", "N+1"]);
    expect(await promiseOf("hamburg")).toEqual(promised);
  }, 180_000);

  it("[I21] [S2] back to N over the inventory that N+1 has migrated, N+1 killed in mid-command: N ends what it began, and loses no field", async (context) => {
    needsPostgres(context);
    const killed = Date.now();
    nRuns = await start(n, "n-again");
    await leads("next");
    await end(nextRuns, "SIGKILL");
    await leads("n-again");
    await installs("S-2001");
    await world.calendar.setRate(PROVING);
    await siteUntil("berlin", isUpToDate);
    await world.calendar.setRate(1);
    expect([await effective(), await checkIn(nRuns, "d-1"), await checkIn(nRuns, "d-4")], "the pause").toEqual([
      "Paused",
      "noupdate",
      "noupdate",
    ]);
    expect(await promiseOf("hamburg")).toEqual(promised);
    await world.calendar.jumpTo(Date.parse((await siteOf("hamburg")).status!.upgrade!.start!));
    await installs("S-3001");
    await world.calendar.setRate(PROVING);
    await siteUntil("hamburg", isUpToDate);
    await world.calendar.setRate(1);
    await editClients({ requested: "Run" });
    await expect.poll(() => checkIn(nRuns, "d-1"), { ...PATIENCE, message: "who was offered it before is offered it again" }).toBe("ok");
    await expect.poll(effective, PATIENCE).toBe("Run");
    const written = operatorWrites(world, killed).filter(
      (entry) => entry.userAgent.startsWith(`rollward/${n.version}`) && succeeded(entry),
    );
    for (const resource of ["socketsites", "socketrollouts", "clientrollouts"])
      expect(
        written.some(({ objectRef }) => objectRef?.resource === resource),
        `N has written ${resource}`,
      ).toBe(true);
    expect(await later()).toEqual(["N+1", "N+1", "N+1", "N+1"]);
  }, 180_000);

  it("[I3] [I4] [C3] each Socket's own ledger has one command, in its window; the stages of the Clients only went forward", async (context) => {
    needsPostgres(context);
    for (const { windowRef, serials } of Object.values(SITES))
      for (const serial of serials) {
        const { begun, version } = sockets[serial]!;
        expect([serial, begun.map((each) => each.version), version]).toEqual([serial, ["18.0.1"], "18.0.1"]);
        const { from, until } = OPEN[windowRef as keyof typeof OPEN];
        expect(begun[0]!.at).toBeGreaterThanOrEqual(from);
        expect(begun[0]!.at).toBeLessThan(until);
      }
    expect(await inStore("select count(*)::int as said from command")).toEqual([3]);
    // What a look has seen opened, each later look sees opened at the same instant.
    for (const [index, seen] of stages.entries()) expect(stages[index + 1] ?? seen).toContain(seen);
    expect(stages.at(-1)).toContain("pilot");
  });

  it("[I21] an inventory that a later version changed otherwise: N does not start on it and says what to do; nothing is touched", async (context) => {
    needsPostgres(context);
    await inStore("insert into rollward_migration values ('9999-other', '2027-01-01') returning name as said");
    const refused = await world.startOperator([...LEASE_FLAGS, "--inventory", postgres!.url, "--identity", "refused"], n.program);
    await expect.poll(() => refused.child.exitCode, PATIENCE).toBe(2);
    expect(refused.log()).toMatch(/written by a newer Rollward: it has 9999-other, which this one does not know\. Nothing was changed\./);
    await leads("n-again");
  });
});
