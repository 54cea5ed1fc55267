import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { API_VERSION } from "../../../src/api/common.ts";
import { startControlPlane, type ControlPlane } from "../../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";

const ROOT = join(import.meta.dirname, "../../..");
const BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces";
const SITES = `/apis/${API_VERSION}/namespaces/acme/socketsites`;
const ROLLOUTS = `/apis/${API_VERSION}/namespaces/fleet/socketrollouts`;
/** The account's administrator, and the provider's release engineer. */
const [CUSTOMER, ENGINEER] = ["admin@acme.example", "anna@example.com"] as const;

interface Said {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

describeWithControlPlane("[T3] the command line about sites, on a real API server with people's own rights", () => {
  let controlPlane: ControlPlane;

  /** The real program, as this user. */
  const rollward = (user: string, ...words: readonly string[]): Promise<Said> =>
    promisify(execFile)(process.execPath, [join(ROOT, "src/main.ts"), ...words, "--kubeconfig", controlPlane.kubeconfig(user)]).then(
      ({ stdout, stderr }) => ({ code: 0, out: stdout, error: stderr }),
      (failed: { code: number; stdout: string; stderr: string }) => ({ code: failed.code, out: failed.stdout, error: failed.stderr }),
    );
  const call = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const { status, body: text } = await controlPlane.call("admin", method, path, body);
    expect(status, text).toBeLessThan(300);
    return JSON.parse(text) as Answer;
  };
  const bind = (role: string, namespace: string, user: string) =>
    call("POST", `${BINDINGS}/${namespace}/rolebindings`, {
      metadata: { name: role },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
    });
  const requests = async (path: string) => (await call<{ spec: { requests?: unknown } }>("GET", path)).spec.requests;

  beforeAll(async () => {
    controlPlane = await startControlPlane({ users: [CUSTOMER, ENGINEER].map((name) => ({ name, groups: [] })) });
    const kubectl = (...args: string[]) =>
      promisify(execFile)(controlPlane.binaries.kubectl, ["--kubeconfig", controlPlane.kubeconfig("admin"), ...args]);
    const files = [join(ROOT, "crds"), join(ROOT, "config/samples/00-namespaces.yaml"), join(ROOT, "config/rbac/people.yaml")];
    await kubectl("create", ...files.flatMap((file) => ["-f", file]));
    await kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all");
    await bind("rollward-account-admin", "acme", CUSTOMER);
    await bind("rollward-release-engineer", "fleet", ENGINEER);
    const sockets = [
      { serial: "S-2001", role: "Primary" },
      { serial: "S-2002", role: "Secondary" },
    ];
    const site = await call<object>("POST", SITES, {
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
    await call("PUT", `${SITES}/berlin/status`, { ...site, status });
    await call("POST", ROLLOUTS, {
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
    await vi.waitFor(async () => expect((await rollward(CUSTOMER, "stories", "-n", "acme")).code).toBe(0), { timeout: 20_000 });
  });
  afterAll(async () => {
    await controlPlane?.stop();
  });

  it("[S6] [I15] an account reads its own stories; those of all are the provider's, and it is told which right is missing", async () => {
    const own = await rollward(CUSTOMER, "stories", "-n", "acme");
    expect(own.out).toContain("acme/berlin  Degraded  S-2001 15.0  S-2002 18.0  16, 17, 18      Sunday 2026-11-29 03:00 Europe/Berlin");
    expect((await rollward("admin", "stories", "-A")).out).toBe(own.out);
    const refused = await rollward(CUSTOMER, "stories", "-A");
    expect([refused.code, refused.error]).toEqual([
      1,
      expect.stringMatching(/^the API server refuses .*cannot list resource "socketsites"/),
    ]);
  });

  it("[S4] an account asks for one of its Sockets, though it may not read the provider's rollouts; the server takes the request", async () => {
    const { code, out, error } = await rollward(CUSTOMER, "upgrade-now", "site/acme/berlin", "S-2001", "18.0", "--accept-downtime");
    expect([code, error]).toEqual([0, ""]);
    expect(out).toMatch(/^SocketSite acme\/berlin: S-2001 is asked to go to 18\.0 now; rollward explain site\/acme\/berlin says/);
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as unknown;
    expect(await requests(`${SITES}/berlin`)).toEqual({ upgradeNow: { serial: "S-2001", version: "18.0", at, acceptDowntime: true } });
  });

  it("[S4] who may read the rollouts hears at once that none carries the version, and nothing is written", async () => {
    const { code, error } = await rollward("admin", "upgrade-now", "site/acme/berlin", "S-2001", "19.0");
    expect([code, error]).toEqual([4, "SocketSite acme/berlin: no SocketRollout carries 19.0; write one of 18.0; nothing was written\n"]);
  });

  it("[G13] a release engineer pauses, resumes and stops the rollout; the account may not", async () => {
    expect((await rollward(ENGINEER, "pause", "sockro/socket-18-0")).code).toBe(0);
    expect((await call<{ spec: { paused: boolean } }>("GET", `${ROLLOUTS}/socket-18-0`)).spec.paused).toBe(true);
    expect((await rollward(ENGINEER, "resume", "sockro/socket-18-0")).code).toBe(0);
    expect((await rollward(ENGINEER, "stop", "sockro/socket-18-0")).code).toBe(0);
    expect(await requests(`${ROLLOUTS}/socket-18-0`)).toEqual({ stop: { at: expect.stringMatching(/Z$/) as unknown } });
    const refused = await rollward(CUSTOMER, "stop", "sockro/socket-18-0");
    expect([refused.code, refused.error]).toEqual([1, expect.stringContaining("cannot get resource")]);
  });
});
