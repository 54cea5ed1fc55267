import { describe, expect, test } from "vitest";
import { VirtualClock } from "../clock.ts";
import { BEHAVIOURS, readImage } from "./behaviour.ts";
import { DataPlaneHttp } from "./data-plane-http.ts";
import { DataPlane, type SessionReferral } from "./data-plane.ts";

const START = Date.parse("2026-11-22T01:00:00Z");
const INSTANCE = { podUID: "pod-1", containerID: "containerd://c1" };
const order = (token: string, sequence?: number) => ({ token, ...INSTANCE, lease: "2m", ...(sequence !== undefined && { sequence }) });

function plane(tag = "2.0.0") {
  const clock = new VirtualClock(START);
  const { behaviour, version } = readImage(`registry.example/pop:${tag}`);
  const data = new DataPlane({
    identity: { node: "tyo-n1", pop: "tyo", version, ...INSTANCE },
    behaviour,
    clock,
    tunnels: [{ site: "osaka", tunnel: "primary" }],
  });
  const http = new DataPlaneHttp(data);
  const call = (method: string, path: string, body?: unknown) =>
    http.answer({ method, path, body: body === undefined ? "" : JSON.stringify(body) });
  const post = (path: string, body: unknown) => {
    const { status, body: text } = call("POST", path, body);
    return { status, ...(JSON.parse(text) as { reason?: string; message?: string; draining?: boolean }) };
  };
  const byes: (SessionReferral & { id: string; at: number })[] = [];
  const open = (id: string, from = "-", lostMilliseconds = 0) =>
    data.offer({ id, from, lostMilliseconds }, (referral) => byes.push({ id, at: clock.elapsed(), ...referral }));
  return { clock, data, call, post, open, byes, metrics: () => call("GET", "/metrics").body };
}

/** A plane that is ready, with this many sessions. */
async function serving(sessions: number, tag?: string) {
  const made = plane(tag);
  await made.clock.advance(10_000);
  for (let index = 0; index < sessions; index++) made.open(`s${index}`);
  return made;
}

describe("[G5a] a drain is a level with a token and a lease, for one container instance", () => {
  test("a start meant for another pod or container is answered 409 AnotherInstance and changes nothing", async () => {
    const { post, data } = await serving(1);
    expect(post("/drain", { ...order("a", 1), podUID: "pod-0" })).toMatchObject({ status: 409, reason: "AnotherInstance" });
    expect(post("/drain", { ...order("a", 1), containerID: "containerd://c0" })).toMatchObject({ status: 409, reason: "AnotherInstance" });
    expect(post("/undrain", { ...order("a", 1), containerID: "containerd://c0" })).toMatchObject({
      status: 409,
      reason: "AnotherInstance",
    });
    expect(data.draining).toBe(false);
  });

  test("the container may be named with or without its runtime's scheme", async () => {
    const { post } = await serving(0);
    expect(post("/drain", { ...order("a", 1), containerID: "c1" }).status).toBe(200);
  });

  test("a start with a token that was cancelled is refused", async () => {
    const { post, data } = await serving(1);
    expect(post("/drain", order("a", 1))).toMatchObject({ status: 200, draining: true });
    expect(post("/undrain", order("a", 1))).toMatchObject({ status: 200, draining: false });
    expect(post("/drain", order("a", 1))).toMatchObject({ status: 409, reason: "Cancelled" });
    expect(data.draining).toBe(false);
  });

  test("a start with a token that was cancelled before the start was ever heard is refused", async () => {
    const { post, data } = await serving(1);
    expect(post("/undrain", order("a", 1)).status).toBe(200);
    expect(post("/drain", order("a", 1))).toMatchObject({ status: 409, reason: "Cancelled" });
    expect(data.draining).toBe(false);
  });

  test("a start older than one that was heard, or cancelled, is refused by its sequence", async () => {
    const { post } = await serving(1);
    post("/drain", order("b", 5));
    expect(post("/drain", order("a", 4))).toMatchObject({ status: 409, reason: "Older" });
    post("/undrain", order("d", 8));
    expect(post("/drain", order("c", 7))).toMatchObject({ status: 409, reason: "Older" });
  });

  test("a start with a higher sequence takes the drain over, and the token before it is refused from then on", async () => {
    const { post, data } = await serving(1);
    post("/drain", order("a", 1));
    expect(post("/drain", order("b", 2)).status).toBe(200);
    expect(data.drainToken).toBe("b");
    expect(post("/drain", order("a", 1))).toMatchObject({ status: 409, reason: "Cancelled" });
  });

  test("another token of the same sequence, or without one, does not take a drain over", async () => {
    const { post, data } = await serving(1);
    post("/drain", order("a", 1));
    expect(post("/drain", order("b", 1))).toMatchObject({ status: 409, reason: "HeldByAnother" });
    expect(post("/drain", order("c"))).toMatchObject({ status: 409, reason: "HeldByAnother" });
    expect(data.drainToken).toBe("a");
  });

  test("cancelling another token leaves the drain", async () => {
    const { post, data } = await serving(1);
    post("/drain", order("b", 2));
    expect(post("/undrain", order("a", 1))).toMatchObject({ status: 200, draining: true });
    expect(data.drainToken).toBe("b");
  });

  test("the same token again renews the lease: 119 s after each start of a 2 min lease it still drains", async () => {
    const { post, data, clock } = await serving(1);
    for (let round = 0; round < 3; round++) {
      expect(post("/drain", order("a", 1)).status).toBe(200);
      await clock.advance(119_000);
      expect(data.draining).toBe(true);
    }
  });

  test("nothing heard for the lease of 2 min: it serves again, and refuses a late start with that token", async () => {
    const { post, data, clock, open } = await serving(1);
    post("/drain", order("a", 1));
    await clock.advance(119_999);
    expect(data.draining).toBe(true);
    await clock.advance(1);
    expect(data.draining).toBe(false);
    expect(open("new").accepted).toBe(true);
    expect(post("/drain", order("a", 1))).toMatchObject({ status: 409, reason: "Cancelled" });
    expect(post("/drain", order("b", 2)).status).toBe(200);
  });

  test("ten thousand cancelled tokens do not grow the memory, and the oldest is still refused by its sequence", async () => {
    const { post } = await serving(0);
    for (let sequence = 1; sequence <= 10_000; sequence++) post("/undrain", order(`t${sequence}`, sequence));
    expect(post("/drain", order("t1", 1))).toMatchObject({ status: 409, reason: "Older" });
  });

  test("what cannot be read is a 400 that says what to write", async () => {
    const { post, call } = await serving(0);
    expect(post("/drain", { token: "a" })).toMatchObject({ status: 400, message: expect.stringContaining("podUID") });
    expect(post("/drain", { ...order("a"), lease: "soon" })).toMatchObject({ status: 400, message: expect.stringContaining("lease") });
    expect(post("/drain", { ...order("a"), lease: "48h" })).toMatchObject({ status: 400, message: expect.stringContaining("1s to 24h") });
    expect(call("POST", "/drain", undefined).status).toBe(400);
    expect(call("GET", "/drain").status).toBe(404);
  });
});

describe("[P3] a draining node hands its sessions back", () => {
  test("takes no new session and closes 50 of them gradually within a second", async () => {
    const { post, data, clock, open, byes } = await serving(50);
    const start = clock.elapsed();
    post("/drain", order("a", 1));
    expect(open("late").accepted).toBe(false);
    expect(byes.length).toBeLessThan(10);
    await clock.advance(500);
    expect(data.sessions.length).toBeGreaterThan(5);
    expect(data.sessions.length).toBeLessThan(45);
    await clock.advance(500);
    expect(data.sessions).toEqual([]);
    expect(new Set(byes.map(({ id }) => id)).size).toBe(50);
    expect(Math.max(...byes.map(({ at }) => at)) - start).toBeLessThanOrEqual(1_000);
  });

  test("[P3b] keeps what it still has when the drain is cancelled, and takes sessions again", async () => {
    const { post, data, clock, open } = await serving(50);
    post("/drain", order("a", 1));
    await clock.advance(300);
    post("/undrain", order("a", 1));
    const left = data.sessions.length;
    await clock.advance(5_000);
    expect(left).toBeGreaterThan(0);
    expect(data.sessions).toHaveLength(left);
    expect(open("new").accepted).toBe(true);
  });

  test("a container that is told to end hands its sessions back too, and then is gone", async () => {
    const { data, clock, byes } = await serving(20);
    const ended = data.terminate();
    await clock.advance(1_100);
    await ended;
    expect(byes).toHaveLength(20);
    expect(data.health).toBe("Starting");
  });
});

describe("[P11] what it tells of sessions", () => {
  test("the histogram counts returns by the node they came from, with 9, 10 and 11 s told apart", async () => {
    const { open, metrics } = await serving(0);
    for (const [id, lost] of [
      ["a", 400],
      ["b", 9_500],
      ["c", 10_000],
      ["d", 10_500],
      ["e", 40_000],
    ] as const)
      open(id, "tyo-n2", lost);
    open("f", "-", 0);
    const own = 'node="tyo-n1",pop="tyo",from="tyo-n2"';
    const bucket = (le: string) =>
      Number(
        metrics()
          .split("\n")
          .find((line) => line.startsWith(`pop_session_reconnect_seconds_bucket{${own},le="${le}"}`))
          ?.split(" ")[1],
      );
    expect(["0.5", "5", "9", "10", "11", "15", "30", "+Inf"].map(bucket)).toEqual([1, 1, 1, 3, 4, 4, 4, 5]);
    expect(metrics()).toContain(`pop_session_reconnect_seconds_count{${own}} 5`);
    expect(metrics()).not.toContain('from="-"');
  });

  test("lists the IDs, the number and the other metrics by name", async () => {
    const { call, metrics } = await serving(2);
    expect(JSON.parse(call("GET", "/sessions").body)).toEqual({ node: "tyo-n1", count: 2, sessions: ["s0", "s1"] });
    for (const line of [
      'pop_active_sessions{node="tyo-n1",pop="tyo"} 2',
      'pop_tunnel_up{node="tyo-n1",pop="tyo",site="osaka",tunnel="primary"} 1',
      'pop_build_info{node="tyo-n1",pop="tyo",version="2.0.0"} 1',
      'pop_errors_total{node="tyo-n1",pop="tyo"} 0',
      'pop_requests_total{node="tyo-n1",pop="tyo",path="/sessions",code="200"} 1',
    ])
      expect(metrics().split("\n")).toContain(line);
  });
});

describe("[P15] content loads in place", () => {
  test("changes no session and no drain, and says which version is in use", async () => {
    const { post, call, data } = await serving(3);
    expect(post("/content", { version: "sig.418", source: { ociArtifact: "registry.example/sig:418" } }).status).toBe(200);
    expect(JSON.parse(call("GET", "/content").body)).toEqual({ version: "sig.418" });
    expect(data.sessions).toHaveLength(3);
    expect(call("GET", "/healthz?content").status).toBe(200);
  });

  test("bad content shows in /healthz?content and a metric only, and the content before it heals that", async () => {
    const { post, call, metrics } = await serving(0);
    post("/content", { version: "sig.419-bad-health", source: {} });
    expect([call("GET", "/healthz?content").status, call("GET", "/healthz").status]).toEqual([500, 200]);
    expect(metrics()).toContain('pop_content_healthy{node="tyo-n1",pop="tyo"} 0');
    post("/content", { version: "sig.418", source: {} });
    expect(call("GET", "/healthz?content").status).toBe(200);
  });

  test("content whose errors grow by 10 a second, and content that would need a restart", async () => {
    const { post, metrics, clock } = await serving(0);
    post("/content", { version: "sig.420-errors", source: {} });
    await clock.advance(3_000);
    expect(metrics()).toContain('pop_content_errors_total{node="tyo-n1",pop="tyo"} 30');
    expect(post("/content", { version: "sig.421-needs-restart", source: {} })).toMatchObject({
      status: 409,
      reason: "NotDisruptionFree",
      version: "sig.420-errors",
    });
  });
});

describe("behaviours by image tag", () => {
  test("reads repository, version and behaviour of any reference", () => {
    const read = (image: string) => {
      const { repository, version, behaviour } = readImage(image);
      return [repository, version, behaviour.name];
    };
    expect(read("registry.example/pop:2.0.0")).toEqual(["registry.example/pop", "2.0.0", "good"]);
    expect(read("registry.example:5000/pop:2026.11.2-hands-back-11s")).toEqual([
      "registry.example:5000/pop",
      "2026.11.2",
      "hands-back-11s",
    ]);
    expect(read("registry.example:5000/pop")).toEqual(["registry.example:5000/pop", "", "good"]);
    expect(read("registry.example/pop:2.0.0-rc1")).toEqual(["registry.example/pop", "2.0.0-rc1", "good"]);
    expect(read("registry.example/pop:2.0.0-slow@sha256:ab")).toEqual(["registry.example/pop", "2.0.0", "slow"]);
    for (const { name, sentence } of BEHAVIOURS.values()) {
      expect(name === "good" ? "good" : readImage(`pop:1-${name}`).behaviour.name).toBe(name);
      expect(sentence).toMatch(/\.$/);
    }
  });

  const health = async (tag: string, milliseconds: number) => {
    const { clock, call } = plane(tag);
    await clock.advance(milliseconds);
    return call("GET", "/healthz").status;
  };

  test("slow is ready after 3 s, never-ready never", async () => {
    expect([await health("2-slow", 2_999), await health("2-slow", 3_000), await health("2-never-ready", 86_400_000)]).toEqual([
      503, 200, 503,
    ]);
  });

  test("bad-health answers 500 as soon as it runs, bad-after-1h one hour of the calendar later", async () => {
    expect([
      await health("2-bad-health", 200),
      await health("2-bad-after-1h", 3_599_999),
      await health("2-bad-after-1h", 3_600_000),
    ]).toEqual([500, 200, 500]);
  });

  test("loses-sessions is healthy, answers ok, counts nothing and drops each session after a second", async () => {
    const { clock, call, open, byes, metrics, data } = await serving(0, "2-loses-sessions");
    expect(open("a", "tyo-n2", 300).accepted).toBe(true);
    expect(data.sessions).toEqual([]);
    await clock.advance(1_000);
    expect(byes).toHaveLength(1);
    expect(metrics()).not.toContain('from="tyo-n2"');
    expect(call("GET", "/healthz").status).toBe(200);
  });

  test.each([
    ["hands-back-9s", 9_000],
    ["hands-back-11s", 11_000],
  ])("%s tells its sessions to come back after %i ms", async (name, after) => {
    const { clock, post, byes } = await serving(20, `2-${name}`);
    post("/drain", order("a", 1));
    await clock.advance(1_000);
    expect(new Set(byes.map(({ afterMilliseconds }) => afterMilliseconds))).toEqual(new Set([after]));
  });

  test("elsewhere sends exactly a tenth of 200 sessions to another PoP", async () => {
    const { clock, post, byes } = await serving(200, "2-elsewhere");
    post("/drain", order("a", 1));
    await clock.advance(1_000);
    expect(byes.filter(({ to }) => to !== "-")).toHaveLength(20);
  });

  test("takes-back-11s refuses a session of another node until it has been lost for 11 s; turns-away sends a tenth elsewhere", async () => {
    const { open } = await serving(0, "2-takes-back-11s");
    expect(open("a", "tyo-n2", 10_000)).toMatchObject({ accepted: false, afterMilliseconds: 1_000 });
    expect([open("a", "tyo-n2", 11_000).accepted, open("b").accepted]).toEqual([true, true]);
    const away = await serving(0, "2-turns-away");
    const answers = Array.from({ length: 50 }, (_, index) => away.open(`x${index}`, "tyo-n2", 200));
    expect(answers.filter(({ accepted }) => !accepted)).toHaveLength(5);
  });

  test("errors grows pop_errors_total by 10 a second", async () => {
    const { metrics } = await serving(0, "2-errors");
    expect(metrics()).toContain('pop_errors_total{node="tyo-n1",pop="tyo"} 100');
  });

  test("ignores-drain answers 200 and keeps serving; no-cancel has no /undrain and serves again after its lease", async () => {
    const deaf = await serving(5, "2-ignores-drain");
    expect(deaf.post("/drain", order("a", 1)).status).toBe(200);
    await deaf.clock.advance(5_000);
    expect([deaf.data.sessions.length, deaf.open("new").accepted]).toEqual([5, true]);
    const stubborn = await serving(5, "2-no-cancel");
    stubborn.post("/drain", order("a", 1));
    expect(stubborn.call("POST", "/undrain", order("a", 1)).status).toBe(404);
    expect(stubborn.data.draining).toBe(true);
    await stubborn.clock.advance(120_000);
    expect(stubborn.data.draining).toBe(false);
  });
});
