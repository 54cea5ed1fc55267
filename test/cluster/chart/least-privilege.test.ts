// What the chart's service accounts may do, held against what they did: one process for each of them, with the token of its account and
// nothing else, through everything that Rollward does; the API server's audit log is what is believed.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ACCOUNT_POLICY, accountPolicySpec } from "../../../src/api/account-policy.ts";
import { ACCOUNT_LABEL } from "../../../src/api/names.ts";
import { APPROVAL, MAINTENANCE_WINDOW, TUNNEL_SITE } from "../../../src/api/resources.ts";
import { CLIENT_ROLLOUT, type ClientRollout, clientRolloutSpec } from "../../../src/api/client-rollout.ts";
import { SOCKET_ROLLOUT, socketRolloutSpec } from "../../../src/api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite, socketSiteSpec } from "../../../src/api/socket-site.ts";
import { clientsOf, hashOf, newToken } from "../../../src/control/device-credentials.ts";
import { CONFIG_MAP, DAEMON_SET } from "../../../src/control/kinds.ts";
import { openInventory } from "../../../src/inventory/open.ts";
import { DATA_PLANE_NAMESPACE, FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import type { AuditEntry } from "../../../tools/control-plane/audit-log.ts";
import { writeKubeconfig } from "../../../tools/control-plane/credentials.ts";
import { freePorts } from "../../../tools/control-plane/ports.ts";
import { findPostgres } from "../../../tools/postgres/install.ts";
import { startPostgres, type RunningPostgres } from "../../../tools/postgres/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { release, rolloutOf } from "../fleet/releases.ts";
import { eventually, firstVersions, IMPATIENT, openFleet, passed, rolledBack, setVersion, SHORT_DRAIN } from "../rolls/pops.ts";
import { RealWorld } from "../rolls/real-world.ts";
import { bystander } from "./bystander.ts";
import { allowedOf, HOW_MANY } from "./dangerous-calls.ts";
import { grantsOf, grantText, unusedGrants } from "./grants.ts";
import { APART, describeWithHelm, render, type Rendered } from "./helm.ts";
import { plainClient } from "./plain-client.ts";
import { plainDevice } from "./plain-device.ts";

const run = promisify(execFile);
const describeWithPostgres = findPostgres() === undefined ? describe.skip : describe;

const ACCOUNTS = ["rollward", "rollward-gateway", "rollward-uninstall"] as const;
type ServiceAccount = (typeof ACCOUNTS)[number];

/** However busy the machine is: limits on the test, not claims. A device may come once a second. */
const LIMIT = 180_000;
const DEVICE = { timeout: LIMIT, interval: 2_500 };
const WEDNESDAY = "2026-11-25T12:00:00Z";
const VERSION = "18.3.3";
const ARTIFACT = { url: "https://artifacts.example.com/socket.swu", sha256: "9f86d081".repeat(8), size: 184_320_000 };
const CONTENT = {
  load: { http: { port: 8080, path: "/content" } },
  health: [{ name: "content", http: { port: 8080, path: "/healthz?content" }, successes: 2, failures: 2, interval: "1s", timeout: "1s" }],
};
const CLIENT_VERSION = "5.12.3";
const CLIENT_ARTIFACT = { ...ARTIFACT, url: "https://artifacts.example.com/client-5.12.3.msi" };
const PILOT = "anna@acme.example";
/** A server that does not stream lists, as older ones do not: the operator needs `list` for each of its caches then, and not `watch` alone. */
const OLDER = ["--feature-gates=WatchList=false"];
/** Pulled ahead, with the pods of others moved off, and the fewest old revisions kept. */
const STRATEGY = { ...IMPATIENT, prePull: true, drain: { ...SHORT_DRAIN, evictPods: true }, maxUnavailable: 1 };

describeWithControlPlane("[T3] the chart's service accounts", () => {
  describeWithHelm("with helm", () => {
    describeWithPostgres("with PostgreSQL (skipped where there is none: npm test installs one)", () => {
      let world: RealWorld;
      let postgres: RunningPostgres;
      let rendered: readonly Rendered[];
      let hooks: readonly Rendered[];
      /** All that they asked for, by the server's own account, up to when the last of them ended. */
      let trace: readonly AuditEntry[];

      const kubectl = async (...args: string[]): Promise<string> =>
        (await run(world.controlPlane.binaries.kubectl, ["--kubeconfig", world.controlPlane.kubeconfig("admin"), ...args])).stdout;
      const apply = async (objects: readonly object[]): Promise<void> => {
        const file = join(world.folder, "apply.json");
        writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
        await kubectl("apply", "--server-side", "--force-conflicts", "-f", file);
      };
      const tokenOf = async (account: ServiceAccount) => (await kubectl("-n", FLEET_NAMESPACE, "create", "token", account)).trim();
      /** A kubeconfig with the account's token; what the process is started with. */
      const asAccount = async (account: ServiceAccount): Promise<readonly string[]> => {
        const path = join(world.folder, `${account}.kubeconfig`);
        writeKubeconfig(path, world.controlPlane.url, world.controlPlane.caFile, account, await tokenOf(account));
        return ["--kubeconfig", path];
      };
      const ofAccount = (account: ServiceAccount, entries: readonly AuditEntry[]) =>
        entries.filter(({ user }) => user.username === `system:serviceaccount:${FLEET_NAMESPACE}:${account}`);
      const site = async () => (await world.cluster.get<SocketSite>(SOCKET_SITE, "berlin", "acme"))?.status;

      beforeAll(async () => {
        postgres = await startPostgres();
        world = await RealWorld.start({ start: WEDNESDAY, pops: { fra1: 2 }, apiServerFlags: OLDER });
        const objects = await render(...APART, "--set=rbac.evictPods=true");
        hooks = objects.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] !== undefined);
        rendered = objects;
        // In the place of what the world gave to its user `operator`: bindings of the same names, for the accounts alone.
        await apply(objects.filter(({ kind }) => /^(ServiceAccount|(Cluster)?Role(Binding)?)$/.test(kind)));
        await apply([
          { apiVersion: "v1", kind: "Namespace", metadata: { name: "acme", labels: { [ACCOUNT_LABEL]: "acme" } } },
          { apiVersion: "v1", kind: "Namespace", metadata: { name: "others" } },
        ]);
      });
      afterAll(async () => {
        await world?.stop();
        await postgres?.stop();
      });

      it("is a cluster in which everything is done that Rollward does, by processes with nothing but these accounts", async () => {
        const [port = 0] = await freePorts(1);
        const inventory = ["--inventory", postgres.url];
        await world.startOperator([...(await asAccount("rollward")), ...inventory]);
        const gateway = [
          "--gateway-only",
          "true",
          "--gateway-address",
          `127.0.0.1:${port}`,
          "--poll-interval",
          "2s",
          "--poll-interval-near",
          "2s",
        ];
        await world.startOperator([...(await asAccount("rollward-gateway")), ...inventory, ...gateway]);
        await openFleet(world);
        await accountOfAcme();
        // Its Secret is asked for by name.
        await world.applyPop("far1", { spec: { kubeconfigSecretRef: { name: "far1-kubeconfig" } } });
        await apply([bystander()]);
        await firstVersions(world, { fra1: { strategy: STRATEGY, spec: { content: CONTENT, revisionHistoryLimit: 1 } } });

        await contentIsRolled();
        await handEditIsPutBack();
        await clientIsUpgraded(port);
        await socketIsUpgraded(port);
        await versionsRoll();

        for (const operator of world.operators) expect(await operator.stop(), operator.log().slice(-1_000)).toBe(0);
        expect(await uninstall()).toContain("PoPCluster fra1: the finalizer is off");
        // A watch stands in the log when it has ended.
        await eventually(
          () => world.controlPlane.auditEntries(),
          (entries) => expect(ofAccount("rollward", entries).filter(({ verb }) => verb === "watch").length).toBeGreaterThan(10),
        );
        trace = world.controlPlane.auditEntries();
      }, 900_000);

      /** Sites, windows and policies of a customer, and what waits for nobody: an Approval of something that does not exist. */
      async function accountOfAcme(): Promise<void> {
        const sundays = { schedule: { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] }, timeZone: "Local", notice: "48h" };
        await world.apply(MAINTENANCE_WINDOW, { metadata: { name: "sockets", namespace: "acme" }, spec: sundays } as never);
        const policy = accountPolicySpec.parse({
          sockets: { windowRef: { name: "sockets" } },
          clients: { windows: { upgrade: "Automatic", pilotGroup: { users: [PILOT] } } },
        });
        await world.apply(ACCOUNT_POLICY, { metadata: { name: "account", namespace: "acme" }, spec: policy } as never);
        const spec = socketSiteSpec.parse({
          timeZone: "Europe/Berlin",
          sockets: [{ serial: "S-2001", role: "Primary" }],
          pops: { preferred: "fra1" },
        });
        await world.apply(SOCKET_SITE, { metadata: { name: "berlin", namespace: "acme" }, spec } as never);
        const plant = { type: "IPsec", primaryPoP: "fra1" };
        await world.apply(TUNNEL_SITE, { metadata: { name: "plant", namespace: "acme" }, spec: plant } as never);
        const digest = `sha256:${"0".repeat(64)}`;
        const decision = {
          for: { kind: "PoPRollout", name: "none", uid: "none", digest },
          actions: ["Promote"],
          decision: "Approve",
          reason: "it was asked for",
          approvedBy: "b@example.com",
          expiresAt: "2027-01-01T00:00:00Z",
        };
        await world.apply(APPROVAL, { metadata: { name: "early", namespace: FLEET_NAMESPACE }, spec: decision } as never);
      }

      async function contentIsRolled(): Promise<void> {
        await world.apply(CONFIG_MAP, { metadata: { name: "signatures", namespace: FLEET_NAMESPACE }, data: { rules: "none" } });
        const waves = [{ name: "all", pops: { percent: 100 }, bake: "1m" }];
        await release(world, "sig-418", { content: { version: "sig.418", source: { configMapRef: { name: "signatures" } } }, waves });
        await world.calendar.setRate(60);
        // The canary node is watched for a minute that the operator was there, whatever the calendar says.
        await eventually(
          () => rolloutOf(world, "sig-418"),
          ({ status }) =>
            expect(status?.outcome, `${JSON.stringify(status)}\n${world.operators[0]!.log().slice(-4_000)}`).toBe("Completed"),
          LIMIT,
        );
        await world.calendar.setRate(1);
      }

      /** Twice, so that the Event about it is counted in the one that there is. */
      async function handEditIsPutBack(): Promise<void> {
        const set = async () =>
          (await world.cluster.list(DAEMON_SET, { namespace: DATA_PLANE_NAMESPACE, labelSelector: "rollward.dev/pop=fra1" }))[0]!;
        const path = "/spec/template/spec/containers/0/image";
        for (const value of ["registry.example/other:1", "registry.example/other:2"]) {
          const { metadata } = await set();
          await world.cluster.patch(DAEMON_SET, metadata.name, DATA_PLANE_NAMESPACE, [{ op: "replace", path, value }]);
          await eventually(set, (found) => expect(JSON.stringify(found)).toContain("registry.example/pop:1.0.0"));
        }
      }

      /** A pilot's computer, from its offer to what the operator counts of it; then the rollout is stopped. */
      async function clientIsUpgraded(port: number): Promise<void> {
        const [token, now] = [newToken(), world.calendar.now()];
        const inventory = await openInventory(postgres.url);
        await inventory.enroll({ account: clientsOf("acme"), tokenHash: hashOf(token), at: now, oldTokensUntil: now });
        await inventory.close();
        const announcedAt = new Date(now).toISOString();
        const wish = { os: "Windows", version: CLIENT_VERSION, announcedAt, generalAfter: "504h", artifact: CLIENT_ARTIFACT };
        const metadata = { name: "windows", namespace: FLEET_NAMESPACE };
        await world.apply(CLIENT_ROLLOUT, { metadata, spec: clientRolloutSpec.parse(wish) } as never);
        const client = plainClient(`http://127.0.0.1:${port}/omaha/v1/acme`, token, PILOT, "5.11.0", CLIENT_VERSION);
        const rollout = () => world.cluster.get<ClientRollout>(CLIENT_ROLLOUT, "windows", FLEET_NAMESPACE);
        await vi.waitFor(async () => expect((await client.turn(), client.version)).toBe(CLIENT_VERSION), DEVICE);
        await world.cluster.patch(CLIENT_ROLLOUT, "windows", FLEET_NAMESPACE, [
          { op: "add", path: "/spec/requested", value: "Stopped" },
          { op: "add", path: "/spec/reason", value: "it was tried" },
        ]);
        await eventually(rollout, (found) => expect(found?.status?.effective, JSON.stringify(found?.status)).toBe("Stopped"), LIMIT);
      }

      /** The calendar is in the Sunday window afterwards. */
      async function socketIsUpgraded(port: number): Promise<void> {
        const inventory = await openInventory(postgres.url);
        const [token, now] = [newToken(), world.calendar.now()];
        await inventory.enroll({ account: "acme", serial: "S-2001", tokenHash: hashOf(token), at: now, oldTokensUntil: now });
        await inventory.close();
        const device = plainDevice(`http://127.0.0.1:${port}/acme/controller/v1/S-2001`, token, "17.2", { pop: "fra1" });
        const turnUntil = (assertion: (status: SocketSite["status"]) => void) =>
          vi.waitFor(async () => assertion((await device.turn(), await site())), DEVICE);
        await turnUntil((status) => expect(status?.sockets?.[0]).toMatchObject({ connected: true, version: "17.2" }));
        const announcedAt = new Date(world.calendar.now()).toISOString();
        const expected = { download: "0s", install: "1m", failover: "1m", verify: "1m" };
        const spec = socketRolloutSpec.parse({ version: VERSION, announcedAt, expected, ramp: [{ percent: 100 }], artifact: ARTIFACT });
        await world.apply(SOCKET_ROLLOUT, { metadata: { name: "socket", namespace: FLEET_NAMESPACE }, spec } as never);
        await turnUntil((status) => expect(status?.upgrade?.start).toBeDefined());
        await world.calendar.jumpTo(Date.parse((await site())!.upgrade!.start!));
        await turnUntil(() => expect(device.version).toBe(VERSION));
        await world.calendar.setRate(60);
        await turnUntil((status) => expect(status?.sockets?.[0]?.lastAttempt).toMatchObject({ outcome: "Confirmed" }));
        await world.calendar.setRate(1);
      }

      /** A good version; a bad one, which is retried once and taken back; and one that nothing keeps the oldest revision for. */
      async function versionsRoll(): Promise<void> {
        const opens = Date.parse("2026-11-29T00:00:00Z");
        if (world.calendar.now() < opens) await world.calendar.jumpTo(opens);
        const records = async () => (await kubectl("-n", FLEET_NAMESPACE, "get", "controllerrevisions", "-o", "name")).trim().split("\n");
        const [oldest] = await records();
        await setVersion(world, "fra1", "2.0.0");
        await world.until("fra1", "2.0.0 on all nodes", passed("2.0.0"), LIMIT);
        await setVersion(world, "fra1", "3.0.0-crash-loop");
        await world.until("fra1", "the rollback", rolledBack("3.0.0-crash-loop"), LIMIT);
        await setVersion(world, "fra1", "4.0.0");
        await world.until("fra1", "4.0.0 on all nodes", passed("4.0.0"), LIMIT);
        await eventually(records, (names) => expect(names).not.toContain(oldest));
      }

      /** What the chart's hook runs after the release is gone, as its pod would. */
      async function uninstall(): Promise<string> {
        const script = hooks.find(({ kind }) => kind === "ConfigMap") as unknown as { data: Record<string, string> };
        const [file, tokenFile] = [join(world.folder, "let-go.mjs"), join(world.folder, "token")];
        writeFileSync(file, script.data["let-go.mjs"]!);
        writeFileSync(tokenFile, await tokenOf("rollward-uninstall"));
        const { hostname, port } = new URL(world.controlPlane.url);
        const where = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, NODE_EXTRA_CA_CERTS: world.controlPlane.caFile };
        return (await run(process.execPath, [file], { env: { ...where, NAMESPACE: FLEET_NAMESPACE, TOKEN_FILE: tokenFile } })).stdout;
      }

      it.for(ACCOUNTS)("[L] %s was refused nothing: whatever it asked for is granted", (account) => {
        const asked = ofAccount(account, trace);
        expect(asked.length, "it did something").toBeGreaterThan(2);
        const refused = asked.filter(({ responseStatus }) => responseStatus?.code === 403 || responseStatus?.code === 401);
        expect(refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
      });

      it.for(ACCOUNTS)("[L] %s used every verb that it is granted, each in the narrowest role that allows it", (account) => {
        const grants = grantsOf(rendered, account);
        expect(grants.length).toBeGreaterThan(2);
        expect(unusedGrants(grants, ofAccount(account, trace)).map(grantText)).toEqual([]);
      });

      it.for(ACCOUNTS)(
        `[L] %s may make none of ${HOW_MANY} dangerous calls, as the server says when it is asked and when it is called`,
        async (account) => {
          const { url, caFile } = world.controlPlane;
          expect(await allowedOf({ url, ca: readFileSync(caFile, "utf8"), token: await tokenOf(account) })).toEqual([]);
          // The same questions of somebody who may: the table is no list of typing errors.
          if (account === "rollward")
            expect(
              (await allowedOf({ url, ca: readFileSync(caFile, "utf8"), token: world.controlPlane.tokens["admin"]! })).filter((line) =>
                line.endsWith(": allowed"),
              ),
            ).toHaveLength(HOW_MANY);
        },
      );
    });
  });
});
