import { beforeEach, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { API_VERSION } from "../api/common.ts";
import { fleetSpec } from "../api/fleet.ts";
import { popClusterSpec, popClusterStatus } from "../api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, TUNNEL_SITE } from "../api/resources.ts";
import { ApiError } from "../control/ports.ts";
import { registerExplain, Terminal } from "./cli.examples.ts";
import { registerCrds } from "./crds.ts";
import { registerPause } from "./pause.ts";
import { registerRequests } from "./requests.ts";
import { registerStatus } from "./status.ts";
import { registerWhen } from "./when.ts";

const NOW = Date.parse("2026-11-22T00:10:00Z");
const at = "2026-11-22T00:00:00Z";
let terminal: Terminal;
let cluster: Terminal["cluster"];
let printed: string;
let complaint: string;
let code: number | undefined;

beforeEach(() => {
  const registers = [registerStatus, registerExplain, registerPause, registerRequests, registerWhen];
  terminal = new Terminal({
    now: NOW,
    commands: (program, io) => {
      registers.forEach((register) => register(program, io));
      registerCrds(program, io, "1.2.3");
    },
  });
  ({ cluster } = terminal);
});

async function rollward(line: string): Promise<void> {
  await terminal.run(line);
  ({ printed, complaint, code } = terminal);
}

async function givenPop(name: string, status: object = {}, more: object = {}): Promise<void> {
  const template = { spec: { containers: [{ name: "c", image: "i:${version}" }] } };
  const spec = popClusterSpec.parse({
    version: "2.0",
    timeZone: "Europe/Berlin",
    region: "eu-central",
    nodeSelector: {},
    windowRef: { name: "sunday" },
    template,
    ...more,
  });
  const created = await cluster.create(POP_CLUSTER, {
    apiVersion: API_VERSION,
    kind: "PoPCluster",
    metadata: { name, namespace: "fleet" },
    spec,
  });
  await cluster.updateStatus(POP_CLUSTER, { ...created, status: popClusterStatus.parse(status) });
}

const read = async (name = "fra1") => (await cluster.get(POP_CLUSTER, name, "fleet"))!;
const run = (more: object = {}) => ({
  id: 1,
  kind: "Roll",
  revision: "r2",
  version: "2.0",
  back: "r1",
  startedAt: at,
  state: "Rolling",
  frozen: { members: [], order: [] },
  timers: {},
  ...more,
});
const node = (name: string, step: string, more: object = {}) => ({
  name,
  uid: name,
  step,
  since: at,
  attempt: 0,
  revision: step === "Done" ? "r2" : "r1",
  ...more,
});
const ready = (status: string, reason: string) => ({
  conditions: [{ type: "Ready", status, reason, message: "", lastTransitionTime: at }],
});

it("status shows each PoP on a line with what it waits for and until when", async () => {
  const holds = [{ rule: "W4", reason: "OutsideWindow", message: "sunday is closed", until: "2026-11-29T00:00:00Z" }];
  await givenPop("fra1", {
    ...ready("True", "Rolling"),
    version: "1.0",
    run: run(),
    nodes: [node("n1", "Done"), node("n2", "Pending")],
    holds,
  });
  await givenPop("ams1", { ...ready("True", "Promoted"), version: "2.0" });
  await rollward("status");
  expect(printed).toBe(
    [
      "NAME  STATE     VERSION  TARGET  NODES  WAITS FOR      UNTIL",
      "ams1  Promoted  2.0      -       0/0    -              -",
      "fra1  Rolling   1.0      2.0     1/2    OutsideWindow  2026-11-29T00:00:00Z",
      "",
    ].join("\n"),
  );
  expect(code).toBe(0);
  await rollward("status -o json");
  expect(JSON.parse(printed)).toMatchObject([{ name: "ams1" }, { name: "fra1", target: "2.0", nodes: { done: 1, total: 2 }, holds }]);
  await rollward("status -o yaml");
  expect(parse(printed)).toHaveLength(2);
  await rollward("status -o wide");
  expect(printed).toContain("sunday is closed");
});

it("status NAME goes node by node", async () => {
  await givenPop("fra1", {
    run: run(),
    revisions: { current: "r1" },
    nodes: [node("n1", "Done", { sessions: 40, reconnectSeconds: 2.5 }), node("n2", "Skipped", { skipped: "CordonedByPerson" })],
  });
  await rollward("status fra1");
  expect(printed).toBe(
    [
      "fra1 is rolling: 1 of 2 nodes run 2.0, revision r1",
      "NODE  STEP     REVISION  SINCE                 SESSIONS  RECONNECT  NOTE",
      "n1    Done     r2        2026-11-22T00:00:00Z  40        2.5 s      -",
      "n2    Skipped  r1        2026-11-22T00:00:00Z  -         -          CordonedByPerson",
      "",
    ].join("\n"),
  );
});

it("explain prints the summary and every hold", async () => {
  await givenPop("fra1", {
    version: "1.0",
    holds: [{ rule: "W4", reason: "OutsideWindow", message: "sunday is closed", until: "2026-11-29T00:00:00Z" }],
  });
  await rollward("explain pop/fra1");
  expect(printed).toBe(
    "PoPCluster fra1 runs 1.0; it waits: OutsideWindow\n\nWhy not yet\n" +
      "  1. OutsideWindow (rule W4): sunday is closed; not before Sunday 2026-11-29 01:00 Europe/Berlin (2026-11-29T00:00:00Z)\n\n" +
      "Why this version\n  2.0: a person pinned it by spec.version, and rollouts pass this PoP by.\n",
  );
});

it.each([
  ["explain pop/fra2", 4, "there is no PoPCluster fra2 in namespace fleet; did you mean fra1?\n"],
  [
    "explain pop/fra1 -n other",
    4,
    "there is no PoPCluster fra1 in namespace other; that namespace has no PoPCluster at all (another one: -n)\n",
  ],
  [
    "explain poop/fra1",
    2,
    'there is no kind "poop"; did you mean pop/fra1? Or write PoPCluster/NAME, PoPRollout/NAME, fleet, MaintenanceWindow/NAME, Approval/NAME, TunnelSite/NAMESPACE/NAME, SocketSite/NAMESPACE/NAME, SocketRollout/NAME, ClientRollout/NAME, policy/NAMESPACE\n',
  ],
  [
    "pause mw/sunday",
    2,
    "this is not possible with a MaintenanceWindow; write PoPCluster/NAME, PoPRollout/NAME, SocketRollout/NAME, ClientRollout/NAME, fleet\n",
  ],
  [
    "explain a/b/c",
    2,
    '"a/b/c" names nothing; write PoPCluster/NAME, PoPRollout/NAME, fleet, MaintenanceWindow/NAME, Approval/NAME, TunnelSite/NAMESPACE/NAME, SocketSite/NAMESPACE/NAME, SocketRollout/NAME, ClientRollout/NAME, policy/NAMESPACE\n',
  ],
  ["status --kubeconfig broken", 2, "broken is no kubeconfig\n"],
])("%s ends with %i and says what to write instead", async (line, expected, sentence) => {
  await givenPop("fra1");
  await rollward(line);
  expect([code, complaint]).toEqual([expected, sentence]);
});

it("explain finds the site of an account by tun/NAMESPACE/NAME, in that namespace", async () => {
  const spec = { type: "IPsec" as const, primaryPoP: "fra1", secondaryPoP: "ams1" };
  await cluster.create(TUNNEL_SITE, {
    apiVersion: API_VERSION,
    kind: "TunnelSite",
    metadata: { name: "plant-1", namespace: "acme" },
    spec,
  });
  await rollward("explain tun/acme/plant-1");
  expect([code, printed]).toEqual([0, "TunnelSite acme/plant-1 has no status yet: no operator has looked at it\n"]);
  await rollward("explain tunnelsite/acme/plant-2");
  expect([code, complaint]).toEqual([4, "there is no TunnelSite plant-2 in namespace acme; did you mean plant-1?\n"]);
  await rollward("explain tun/plant-1");
  expect(complaint).toBe(
    "there is no TunnelSite plant-1 in namespace fleet; that namespace has no TunnelSite at all (another one: TunnelSite/NAMESPACE/NAME)\n",
  );
  await rollward("explain mw/fleet/sunday");
  expect([code, complaint.split(";")[0]]).toEqual([2, '"mw/fleet/sunday" names nothing']);
});

it("pause and resume write spec.paused once; the fleet keeps the reason of its pause and loses it afterwards", async () => {
  await givenPop("fra1");
  await cluster.create(FLEET, {
    apiVersion: API_VERSION,
    kind: "Fleet",
    metadata: { name: "fleet", namespace: "fleet" },
    spec: fleetSpec.parse({}),
  });
  await rollward("pause pop/fra1");
  expect((await read()).spec.paused).toBe(true);
  const { resourceVersion } = (await read()).metadata;
  await rollward("pause fra1");
  expect(printed).toBe("PoPCluster fra1 is paused already; nothing was written\n");
  expect((await read()).metadata.resourceVersion).toBe(resourceVersion);
  await rollward("resume fra1");
  expect((await read()).spec.paused).toBe(false);
  await rollward("pause fleet --reason storm");
  expect((await cluster.get(FLEET, "fleet", "fleet"))!.spec).toMatchObject({ paused: true, reason: "storm" });
  await rollward("resume fleet");
  expect((await cluster.get(FLEET, "fleet", "fleet"))!.spec).not.toHaveProperty("reason");
});

it("[P12] stop names the revision that rolls, once it does; otherwise it refuses and writes nothing", async () => {
  await givenPop("fra1", { run: run() });
  await rollward("stop pop/fra1");
  expect((await read()).spec.requests).toEqual({ stop: { revision: "r2", at: "2026-11-22T00:10:00.000Z" } });
  await givenPop("idle", { version: "1.0" });
  await rollward("stop pop/idle");
  expect([code, complaint]).toEqual([4, "PoPCluster idle: no roll is under way, so there is nothing to stop; nothing was written\n"]);
  expect((await read("idle")).spec.requests).toBeUndefined();
});

it("take-back works while a version is watched, keeps other requests, and refuses where there is no way back", async () => {
  await givenPop("fra1", { run: run({ state: "Passed" }) }, { requests: { retry: { at } } });
  await rollward("take-back fra1");
  expect((await read()).spec.requests).toMatchObject({ retry: { at }, takeBack: { revision: "r2" } });
  const { back: _, ...first } = run();
  await givenPop("new1", { run: { ...first, kind: "Join" } });
  await rollward("take-back new1");
  expect([code, complaint]).toEqual([4, "PoPCluster new1: 2.0 is its first version, there is none to go back to; nothing was written\n"]);
});

it("[G8] retry names the failed revision, and refuses one that did not fail, with those that did", async () => {
  await givenPop("fra1", { revisions: { wanted: "r3", failed: [{ revision: "r2", version: "2.0", at, evidence: "" }] } });
  await rollward("retry fra1");
  expect([code, complaint]).toEqual([
    4,
    "PoPCluster fra1: revision r3 neither failed nor was stopped here; these failed: r2 (2.0), name one by --revision; nothing was written\n",
  ]);
  await rollward("retry fra1 --revision r2");
  expect((await read()).spec.requests).toMatchObject({ retry: { revision: "r2" } });
});

it("a request meets the operator's writes: it is checked and written again, at most five times", async () => {
  await givenPop("fra1", { run: run() });
  let refused = 0;
  terminal.fault = ({ verb }) =>
    verb === "patch" && refused++ < 2 ? { error: new ApiError(409, "Conflict", "somebody was here") } : undefined;
  await rollward("stop fra1");
  expect([code, refused]).toEqual([0, 3]);
  terminal.fault = ({ verb }) => (verb === "patch" ? { error: new ApiError(409, "Conflict", "somebody was here") } : undefined);
  await givenPop("ams1", { run: run() });
  await rollward("stop ams1");
  expect([code, complaint]).toEqual([1, "the API server answered 409: somebody was here\n"]);
});

it("an API server that does not answer, or refuses, ends with 1 and a sentence", async () => {
  terminal.fault = () => ({ error: new ApiError(0, "Unreachable", "connect ECONNREFUSED 127.0.0.1:6443") });
  await rollward("status");
  expect([code, complaint]).toEqual([
    1,
    "the API server does not answer (connect ECONNREFUSED 127.0.0.1:6443); check --kubeconfig and the network, then try again\n",
  ]);
});

it("[I21] crds prints one document a kind, each with the version that it is of", async () => {
  await rollward("crds");
  interface Crd {
    readonly metadata: { readonly name: string; readonly annotations: Readonly<Record<string, string>> };
  }
  const crds = parseAllDocuments(printed).map((document) => document.toJS() as Crd);
  expect(new Set(crds.map(({ metadata }) => metadata.annotations["rollward.dev/version"]))).toEqual(new Set(["1.2.3"]));
  const names = crds.map(({ metadata }) => metadata.name);
  expect(names).toEqual(
    [
      "fleets",
      "maintenancewindows",
      "popclusters",
      "poprollouts",
      "approvals",
      "socketrollouts",
      "clientrollouts",
      "accountpolicies",
      "socketsites",
      "tunnelsites",
    ].map((plural) => `${plural}.rollward.dev`),
  );
});

it("[W9] when pop/NAME tells the PoP's next windows in its own zone, with the last start of one node", async () => {
  await givenPop("fra1");
  const schedule = { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }] };
  const spec = { schedule, timeZone: "Local" };
  await cluster.create(MAINTENANCE_WINDOW, {
    apiVersion: API_VERSION,
    kind: "MaintenanceWindow",
    metadata: { name: "sunday", namespace: "fleet" },
    spec,
  } as never);
  await rollward("when pop/fra1 -n 2 -o json");
  expect(code).toBe(0);
  expect(JSON.parse(printed)).toMatchObject([
    { start: "2026-11-22T00:00:00Z", lastStart: "2026-11-22T03:52:00Z", end: "2026-11-22T04:00:00Z", note: "open now" },
    { start: "2026-11-29T00:00:00Z" },
  ]);
  await rollward("when mw/sunday");
  expect([code, complaint]).toEqual([2, expect.stringContaining("give --zone, for example --zone Europe/Berlin")]);
  await rollward("when");
  expect([code, complaint]).toEqual([2, "nothing to look at; give -f window.yaml, or name pop/NAME, mw/NAME or train\n"]);
});

it("[W8] when train lists as many departures as were asked for, says how many are known, and is suggested for a near miss", async () => {
  const created = await cluster.create(FLEET, {
    apiVersion: API_VERSION,
    kind: "Fleet",
    metadata: { name: "fleet", namespace: "fleet" },
    spec: fleetSpec.parse({ train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" } }),
  } as never);
  await rollward("when train");
  expect(complaint).toBe("the Fleet's status names no departure yet: no operator has looked at it; start one, then ask again\n");
  await cluster.updateStatus(FLEET, { ...created, status: { nextDepartures: ["2026-11-22", "2026-12-06", "2026-12-20"] } });
  await rollward("when train -n 2");
  expect(printed).toBe("The train departs every 2 weeks, next on:\n  2026-11-22\n  2026-12-06\n");
  await rollward("when train -n 9");
  expect(complaint).toBe("the Fleet's status names 3 departures, not 9; the others follow every 2 weeks\n");
  await rollward("when trian");
  expect([code, complaint]).toEqual([4, "there is no PoPCluster trian in namespace fleet; did you mean train?\n"]);
});
