import { beforeEach, expect, it } from "vitest";
import { parse } from "yaml";
import type { Approval } from "../api/approval.ts";
import { popRolloutSpec, type PopRollout, type PopRolloutStatus } from "../api/pop-rollout.ts";
import { API_VERSION } from "../api/common.ts";
import { APPROVAL, FLEET, POP_ROLLOUT } from "../api/resources.ts";
import { registerExplain, Terminal } from "./cli.examples.ts";
import { registerApprove } from "./approve.ts";
import { registerPause } from "./pause.ts";
import { registerRequests } from "./requests.ts";
import { registerStatus } from "./status.ts";

const NOW = Date.parse("2026-11-22T00:10:00Z");
const at = "2026-11-22T00:00:00Z";
let terminal: Terminal;
let cluster: Terminal["cluster"];
let printed: string;
let complaint: string;
let code: number | undefined;

beforeEach(() => {
  const registers = [registerStatus, registerExplain, registerPause, registerRequests, registerApprove];
  terminal = new Terminal({ now: NOW, commands: (program, io) => registers.forEach((register) => register(program, io)) });
  ({ cluster } = terminal);
});

async function rollward(...words: readonly string[]): Promise<void> {
  await terminal.run(words);
  ({ printed, complaint, code } = terminal);
}

async function givenRollout(name: string, status: Partial<PopRolloutStatus>): Promise<void> {
  const spec = popRolloutSpec.parse({
    version: "2026.11.2",
    requestedBy: "release-engineer@example.com",
    announcedAt: at,
    waves: [
      { name: "canary", pops: { count: 1 } },
      { name: "rest", pops: { percent: 100 }, approval: "Required" },
    ],
  });
  const created = await cluster.create<PopRollout>(POP_ROLLOUT, {
    apiVersion: API_VERSION,
    kind: "PoPRollout",
    metadata: { name, namespace: "fleet" },
    spec,
  } as never);
  await cluster.updateStatus<PopRollout>(POP_ROLLOUT, { ...created, status });
}

const read = async (name: string): Promise<PopRollout> => (await cluster.get<PopRollout>(POP_ROLLOUT, name, "fleet"))!;

const DIGEST = `sha256:${"a".repeat(64)}`;
const assignment = (pop: string, state: "Passed" | "Assigned" | "RolledBack", more: object = {}) =>
  ({
    pop,
    uid: `uid-${pop}`,
    wave: "canary",
    version: "2026.11.2",
    class: "Regular",
    announcedAt: at,
    order: "Go",
    state,
    since: at,
    ...more,
  }) as const;
const WAITING = {
  numbers: { pops: 2, passed: 1, open: 0, failed: 0, skipped: 0 },
  waves: [
    { name: "canary", state: "Passed", pops: ["fra1"], openedAt: at, endedAt: at },
    { name: "rest", state: "Pending", digest: DIGEST },
  ],
  assignments: [assignment("fra1", "Passed")],
  holds: [{ rule: "F8", reason: "AwaitingApproval", message: "wave rest waits for an Approval" }],
} satisfies Partial<PopRolloutStatus>;

it("status shows each rollout on a line above the PoPs, and one rollout PoP by PoP", async () => {
  await givenRollout("r1", WAITING);
  await rollward("status");
  expect(printed).toMatch(
    /^ROLLOUT +STATE +VERSION +WAVE +PASSED +FAILED +WAITS FOR +UNTIL +FINISHES\nr1 +Unknown +2026\.11\.2 +- +1\/2 +0 +AwaitingApproval +- +-\n/,
  );
  await rollward("status", "popro/r1");
  expect(printed).toBe(
    "r1 passed on 1 of 2 PoPs; it waits: AwaitingApproval\n" +
      "WAVE    POP   STATE   SINCE                 ASKED TO  NOTE\n" +
      "canary  fra1  Passed  2026-11-22T00:00:00Z  Go        -\n",
  );
  await rollward("status", "popro/r1", "-o", "yaml");
  expect((parse(printed) as { numbers: object }).numbers).toEqual(WAITING.numbers);
});

it("explain says what a rollout waits for, and which digest an Approval has to name", async () => {
  await givenRollout("r1", WAITING);
  await rollward("explain", "popro/r1");
  expect(printed).toContain("1. AwaitingApproval (rule F8): wave rest waits for an Approval; no time is known");
  expect(printed).toContain(`rest: Pending, an Approval names digest ${DIGEST}`);
});

it("pause and resume write spec.paused of a rollout", async () => {
  await givenRollout("r1", WAITING);
  await rollward("pause", "popro/r1");
  expect([code, (await read("r1")).spec.paused]).toEqual([0, true]);
  await rollward("resume", "popro/r1");
  expect([code, (await read("r1")).spec.paused]).toEqual([0, false]);
});

it("take-back asks it of a rollout once, with its instant; without a PoP that has the version nothing is written", async () => {
  await givenRollout("r1", WAITING);
  await rollward("take-back", "popro/r1");
  expect([code, (await read("r1")).spec.requests?.takeBack?.at]).toEqual([0, "2026-11-22T00:10:00.000Z"]);
  await givenRollout("r2", { ...WAITING, assignments: [assignment("fra1", "Assigned")] });
  await rollward("take-back", "popro/r2");
  expect([code, complaint]).toEqual([4, "PoPRollout r2: no PoP has 2026.11.2, so there is nothing to take back; nothing was written\n"]);
});

it("retry needs something that halted, was stopped or failed; stop needs waves that go on", async () => {
  await givenRollout("r1", WAITING);
  await rollward("retry", "popro/r1");
  expect([code, complaint]).toEqual([4, "PoPRollout r1: it neither halted nor was stopped, and no PoP failed; nothing was written\n"]);
  await rollward("stop", "popro/r1");
  expect([code, (await read("r1")).spec.requests?.stop?.at]).toEqual([0, "2026-11-22T00:10:00.000Z"]);
  await givenRollout("r2", { ...WAITING, standing: true });
  await rollward("stop", "popro/r2");
  expect([code, complaint]).toEqual([4, "PoPRollout r2: its waves are over, so there is nothing to stop; nothing was written\n"]);
});

it("[F8] approve writes nothing unless exactly the digest that was looked at still waits", async () => {
  await givenRollout("r1", WAITING);
  const other = `sha256:${"b".repeat(64)}`;
  await rollward("approve", "popro/r1", "--reason", "figures are good", "--digest", other);
  expect(code).toBe(4);
  expect(complaint).toContain(`what waits has digest ${DIGEST}, not ${other}: it changed since`);
  await givenRollout("r2", { ...WAITING, waves: [] });
  await rollward("approve", "popro/r2", "--reason", "figures are good");
  expect([code, complaint]).toEqual([4, "PoPRollout r2: nothing waits for an approval; nothing was written\n"]);
  expect(await cluster.list(APPROVAL, { namespace: "fleet" })).toEqual([]);
});

it("[F8] approve of a wave or stage that is not there, or whose turn has not come, says which there are", async () => {
  await givenRollout("r1", { ...WAITING, waves: [...WAITING.waves, { name: "last", state: "Pending" }] });
  const refused = async (...words: string[]) => {
    await rollward("approve", "popro/r1", "--reason", "figures are good", ...words);
    return [code, complaint];
  };
  expect(await refused("--wave", "nope")).toEqual([4, "PoPRollout r1 has no wave nope; it has canary, rest, last; nothing was written\n"]);
  expect(await refused("--wave", "canery")).toEqual([4, "PoPRollout r1 has no wave canery; did you mean canary?; nothing was written\n"]);
  expect(await refused("--wave", "canary")).toEqual([
    4,
    "PoPRollout r1: wave canary is Passed: it waits for nobody; nothing was written\n",
  ]);
  expect(await refused("--wave", "last")).toEqual([
    4,
    "PoPRollout r1: wave last is Pending: its turn has not come, so it has no digest that could be approved yet; nothing was written\n",
  ]);
  expect(await refused("--stage", "ci")).toEqual([4, "PoPRollout r1 has no stage ci; it has no stages; nothing was written\n"]);
});

const written = async (): Promise<Approval["spec"][]> =>
  (await cluster.list<Approval>(APPROVAL, { namespace: "fleet" })).map(({ spec }) => spec);
const givenFleet = (freezes: object[]) =>
  cluster.create(FLEET, {
    apiVersion: API_VERSION,
    kind: "Fleet",
    metadata: { name: "fleet", namespace: "fleet" },
    spec: { freezes },
  } as never);

it("[F8] approve writes nothing where the next wave opens without anybody, or was approved; a refusal may hold it all the same", async () => {
  const opensByItself = { ...WAITING, waves: [{ name: "canary", state: "Pending" as const, digest: DIGEST }] };
  await givenRollout("r1", opensByItself);
  await rollward("approve", "popro/r1", "--reason", "x");
  expect([code, complaint]).toEqual([4, "PoPRollout r1: nothing waits for an approval; nothing was written\n"]);
  await rollward("approve", "popro/r1", "--reason", "x", "--wave", "canary");
  expect([code, complaint]).toEqual([4, "PoPRollout r1: wave canary waits for no approval (it opens without one); nothing was written\n"]);
  await rollward("approve", "popro/r1", "--reason", "x", "--refuse");
  // It goes on to ask who writes, which this server does not know.
  expect(complaint).not.toContain("nothing waits");
  const approval = { name: "ok", by: "second@example.com", at };
  await givenRollout("r2", { ...WAITING, waves: [{ name: "rest", state: "Pending", digest: DIGEST, approval }] });
  await rollward("approve", "popro/r2", "--reason", "x", "--wave", "rest");
  expect([code, complaint]).toEqual([
    4,
    "PoPRollout r2: wave rest waits for no approval (second@example.com approved it); nothing was written\n",
  ]);
  expect(await written()).toEqual([]);
});

it("[F8] approve of a freeze that there is not says which there are, and writes nothing", async () => {
  await givenRollout("r1", { ...WAITING, digest: DIGEST });
  const lift = async (name: string) => {
    await rollward("approve", "popro/r1", "--reason", "x", "--action", "LiftFreeze", "--freeze", name);
    return [code, complaint];
  };
  expect(await lift("nope")).toEqual([4, "PoPRollout r1: there is no freeze nope; there is none at all; nothing was written\n"]);
  await givenFleet([{ name: "year-end", from: "2026-12-20", to: "2027-01-06" }]);
  expect(await lift("nope")).toEqual([4, "PoPRollout r1: there is no freeze nope; there are year-end; nothing was written\n"]);
  expect(await lift("yearend")).toEqual([4, "PoPRollout r1: there is no freeze yearend; did you mean year-end?; nothing was written\n"]);
  expect(await written()).toEqual([]);
});

it("status of a namespace without a Fleet ends with 4; of a fleet that is still empty with 0", async () => {
  await rollward("status", "-n", "flet");
  expect([code, complaint]).toEqual([
    4,
    "there is no PoPCluster in namespace flet\nthere is no Fleet object in namespace flet either; write the fleet namespace with -n\n",
  ]);
  await givenFleet([]);
  await rollward("status");
  expect([code, complaint]).toEqual([0, "there is no PoPCluster in namespace fleet\n"]);
});

it("[F8] status tells of an Approval that does nothing in one clause; -o wide tells all of it", async () => {
  await givenRollout("r1", WAITING);
  const clause = "its digest is that of nothing of PoPRollout r1 now: members, evidence or version are others, or it never was";
  await givenApproval("odd", { status: "False", reason: "OtherDigest", message: `${clause}; now an Approval can name ${DIGEST}` });
  await rollward("status");
  expect(printed).toMatch(/ OtherDigest +its digest is that of nothing of PoPRollout r1 now: members…\n/);
  expect(Math.max(...printed.split("\n").map((line) => line.length))).toBeLessThan(160);
  await rollward("status", "-o", "wide");
  expect(printed).toContain(`${clause}; now an Approval can name ${DIGEST}\n`);
});

async function givenApproval(
  name: string,
  condition: { status: "True" | "False" | "Unknown"; reason: string; message: string },
): Promise<void> {
  const uid = (await read("r1")).metadata.uid;
  const created = await cluster.create<Approval>(APPROVAL, {
    apiVersion: API_VERSION,
    kind: "Approval",
    metadata: { name, namespace: "fleet" },
    spec: {
      for: { kind: "PoPRollout", name: "r1", uid, digest: DIGEST },
      actions: ["Promote"],
      decision: "Approve",
      reason: "figures are good",
      approvedBy: "second@example.com",
      expiresAt: "2026-11-29T00:00:00Z",
    },
  } as never);
  const conditions = [{ type: "Accepted", ...condition, lastTransitionTime: at }];
  await cluster.updateStatus<Approval>(APPROVAL, { ...created, status: { conditions } });
}

it("[F8] status lists the Approvals that do nothing, with why; explain says it of one, and of one that counts what it does", async () => {
  await givenRollout("r1", WAITING);
  await givenApproval("late", {
    status: "False",
    reason: "Expired",
    message: "it expired at 2026-11-21T00:00:00Z before anything used it",
  });
  await givenApproval("good", { status: "True", reason: "Accepted", message: "it counts: it approves Promote of wave rest" });
  await rollward("status");
  expect(printed).toMatch(
    /^APPROVAL +FOR +ACTIONS +BY +DOES NOTHING +WHY\nlate +r1 +Promote +second@example\.com +Expired +it expired at 2026-11-21T00:00:00Z before anything used it\n\nROLLOUT/,
  );
  await rollward("explain", "approval/late");
  expect(printed).toContain("Accepted is False (Expired): it expired at 2026-11-21T00:00:00Z before anything used it");
  await rollward("explain", "approval/good");
  expect(printed).toContain("What it does\n  Accepted: it counts: it approves Promote of wave rest");
});

it("a rollout named without its kind is told apart from a PoP that is not there", async () => {
  await givenRollout("r1", WAITING);
  for (const command of ["status", "explain", "stop"]) {
    await rollward(command, "r1");
    expect([command, code, complaint]).toEqual([command, 4, "there is no PoPCluster r1 in namespace fleet; did you mean popro/r1?\n"]);
  }
});

it("[F8] who may not get it is told by status and explain, with what they run", async () => {
  const excluded = [
    { reason: "OtherBase", pops: 2, message: "2 PoPs (ams1 and fra2): runs 2026.10.4, and the rollout applies to >=2026.11.0" },
  ];
  await givenRollout("r1", { ...WAITING, excluded });
  await rollward("status", "popro/r1");
  expect(printed).toContain("not for 2 PoPs (ams1 and fra2): runs 2026.10.4, and the rollout applies to >=2026.11.0 (OtherBase)\n");
  await rollward("explain", "popro/r1");
  expect(printed).toContain("Not for these PoPs\n  OtherBase: 2 PoPs (ams1 and fra2): runs 2026.10.4");
});
