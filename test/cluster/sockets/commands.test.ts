import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { API_VERSION } from "../../../src/api/common.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { PeoplesCluster } from "../people.ts";

const SITES = `/apis/${API_VERSION}/namespaces/acme/socketsites`;
const ROLLOUTS = `/apis/${API_VERSION}/namespaces/fleet/socketrollouts`;
/** The account's administrator, and the provider's release engineer. */
const [CUSTOMER, ENGINEER] = ["admin@acme.example", "anna@example.com"] as const;

describeWithControlPlane("[T3] the command line about sites, on a real API server with people's own rights", () => {
  let cluster: PeoplesCluster;

  const requests = async (path: string) => (await cluster.call<{ spec: { requests?: unknown } }>("GET", path)).spec.requests;

  beforeAll(async () => {
    cluster = await PeoplesCluster.start([
      { name: CUSTOMER, role: "rollward-account-admin", namespace: "acme" },
      { name: ENGINEER, role: "rollward-release-engineer", namespace: "fleet" },
    ]);
    const sockets = [
      { serial: "S-2001", role: "Primary" },
      { serial: "S-2002", role: "Secondary" },
    ];
    const site = await cluster.call<object>("POST", SITES, {
      apiVersion: API_VERSION,
      kind: "SocketSite",
      metadata: { name: "berlin" },
      spec: { timeZone: "Europe/Berlin", sockets },
    });
    const versions = ["15.0", "18.0"];
    const story = {
      id: "story-1",
      title: "HA Status is not ready",
      openedAt: "2026-11-29T02:00:00Z",
      severity: "Degraded",
      lower: { serial: "S-2001", version: "15.0" },
      higher: { serial: "S-2002", version: "18.0" },
      missingMajors: [16, 17, 18],
      steps: ["Upgrade S-2001 to 18.0."],
      remedy: { action: "Upgrade", serial: "S-2001", version: "18.0" },
    };
    const status = {
      sockets: sockets.map((socket, index) => ({ ...socket, state: "Unknown", version: versions[index], connected: true })),
      ha: { status: "NotReady", checks: [], story },
    };
    await cluster.call("PUT", `${SITES}/berlin/status`, { ...site, status });
    await cluster.call("POST", ROLLOUTS, {
      apiVersion: API_VERSION,
      kind: "SocketRollout",
      metadata: { name: "socket-18-0" },
      spec: {
        version: "18.0",
        announcedAt: "2026-11-20T09:00:00Z",
        artifact: { url: "socket-18.0.swu", sha256: "9f86d081".repeat(8), size: 10 },
      },
    });
    // Rights are read from a cache that is moments behind.
    await vi.waitFor(async () => expect((await cluster.rollward(CUSTOMER, "stories", "-n", "acme")).code).toBe(0), { timeout: 20_000 });
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  it("[S6] [I15] an account reads its own stories; those of all are the provider's, and it is told which right is missing", async () => {
    const own = await cluster.rollward(CUSTOMER, "stories", "-n", "acme");
    expect(own.out).toContain("acme/berlin  Degraded  S-2001 15.0  S-2002 18.0  16, 17, 18      Sunday 2026-11-29 03:00 Europe/Berlin");
    expect((await cluster.rollward("admin", "stories", "-A")).out).toBe(own.out);
    const refused = await cluster.rollward(CUSTOMER, "stories", "-A");
    expect([refused.code, refused.error]).toEqual([
      1,
      expect.stringMatching(/^the API server refuses .*cannot list resource "socketsites"/),
    ]);
  });

  it("[S4] an account asks for one of its Sockets, though it may not read the provider's rollouts; the server takes the request", async () => {
    const { code, out, error } = await cluster.rollward(CUSTOMER, "upgrade-now", "site/acme/berlin", "S-2001", "18.0", "--accept-downtime");
    expect([code, error]).toEqual([0, ""]);
    expect(out).toMatch(/^SocketSite acme\/berlin: S-2001 is asked to go to 18\.0 now; rollward explain site\/acme\/berlin says/);
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as unknown;
    expect(await requests(`${SITES}/berlin`)).toEqual({ upgradeNow: { serial: "S-2001", version: "18.0", at, acceptDowntime: true } });
  });

  it("[S4] who may read the rollouts hears at once that none carries the version, and nothing is written", async () => {
    const { code, error } = await cluster.rollward("admin", "upgrade-now", "site/acme/berlin", "S-2001", "19.0");
    expect([code, error]).toEqual([4, "SocketSite acme/berlin: no SocketRollout carries 19.0; write one of 18.0; nothing was written\n"]);
  });

  it("[G13] a release engineer pauses, resumes and stops the rollout; the account may not", async () => {
    expect((await cluster.rollward(ENGINEER, "pause", "sockro/socket-18-0")).code).toBe(0);
    expect((await cluster.call<{ spec: { paused: boolean } }>("GET", `${ROLLOUTS}/socket-18-0`)).spec.paused).toBe(true);
    expect((await cluster.rollward(ENGINEER, "resume", "sockro/socket-18-0")).code).toBe(0);
    expect((await cluster.rollward(ENGINEER, "stop", "sockro/socket-18-0")).code).toBe(0);
    expect(await requests(`${ROLLOUTS}/socket-18-0`)).toEqual({ stop: { at: expect.stringMatching(/Z$/) as unknown } });
    const refused = await cluster.rollward(CUSTOMER, "stop", "sockro/socket-18-0");
    expect([refused.code, refused.error]).toEqual([1, expect.stringContaining("cannot get resource")]);
  });
});
