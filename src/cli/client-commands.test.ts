import { beforeEach, describe, expect, it } from "vitest";
import { ACCOUNT_POLICY } from "../api/account-policy.ts";
import { CLIENT_ROLLOUT, clientRolloutStatus } from "../api/client-rollout.ts";
import { API_VERSION } from "../api/common.ts";
import { APPROVAL } from "../api/resources.ts";
import { ApiError } from "../control/ports.ts";
import { registerApprove } from "./approve.ts";
import { Terminal } from "./cli.examples.ts";
import * as examples from "./client-commands.examples.ts";
import { DIGEST, NOW, numbers, reads, STATUS } from "./client-commands.examples.ts";
import { registerPause } from "./pause.ts";
import { registerRequests } from "./requests.ts";
import { registerStatus } from "./status.ts";

let terminal: Terminal;

beforeEach(() => {
  terminal = new Terminal({
    now: NOW,
    commands: (program, io) => {
      for (const register of [registerStatus, registerPause, registerRequests, registerApprove]) register(program, io);
    },
  });
});

const givenRollout = (spec?: object, status?: object, name?: string) => examples.givenRollout(terminal, spec, status, name);
const givenPolicy = (spec?: object, status?: object, namespace?: string) => examples.givenPolicy(terminal, spec, status, namespace);
const rollout = async () => (await terminal.cluster.get(CLIENT_ROLLOUT, "windows-5-12-3", "fleet"))!;
const policy = async () => (await terminal.cluster.get(ACCOUNT_POLICY, "account", "acme"))!;
async function says(...words: readonly string[]): Promise<readonly [number | undefined, string]> {
  await terminal.run(words);
  return [terminal.code, terminal.printed + terminal.complaint];
}

describe("status", () => {
  it("the page of the provider: stages with their honest numbers, the gate, what comes when in a zone, support, accounts", async () => {
    const { metadata } = await givenRollout();
    await givenPolicy(undefined, { account: "acme", clients: [reads(metadata.uid)] });
    await givenPolicy(
      undefined,
      { account: "globex", clients: [reads(metadata.uid, { inPhase: false, effective: "Paused", reasons: ["audit"] })] },
      "globex",
    );
    const [code, text] = await says("status", "cliro/windows-5-12-3", "--zone", "Europe/Berlin");
    expect(code).toBe(0);
    expect(text).toMatch(/^ClientRollout windows-5-12-3 \(Windows 5\.12\.3\) is in phase 1: 20 % of the users of 5 % of the accounts\n/);
    expect(text).toMatch(
      /pilot +Monday 2026-11-02 10:00 Europe\/Berlin +Monday 2026-11-23 10:00 Europe\/Berlin \(Passed\) +80 +80 +80 +80 +0 +2\n/,
    );
    expect(text).toMatch(/phase-1 +Monday 2026-11-23 10:00 Europe\/Berlin +open +300 +300 +300 +299 +1 +2\n/);
    expect(text).toMatch(/phase-2 +opens Thursday 2026-11-26 10:00 Europe\/Berlin/);
    expect(text).toContain("Stage phase-1: its gate: at most 1 % failed of at least 200 attempted, patience 168h\n");
    expect(text).toContain("Next: phase 2, Thursday 2026-11-26 10:00 Europe/Berlin, if nothing fails\n");
    expect(text).toContain("Support: 48 weeks left, until Monday 2027-11-01 01:00 Europe/Berlin\n");
    expect(text).toContain("Accounts: 2, a phase has reached 1; 1 hold it or are held: globex (audit). Each on a line: -o wide\n");
    expect((await says("status", "cliro/windows-5-12-3", "-o", "wide"))[1]).toMatch(
      /\nglobex +not yet .* Paused +Thursday 2026-11-26 09:00 UTC +audit\n/,
    );
    expect(JSON.parse((await says("status", "cliro/windows-5-12-3", "-o", "json"))[1])).toMatchObject({
      effective: "Run",
      accounts: [{ account: "acme" }, { account: "globex" }],
    });
    expect((await says("status"))[1]).toMatch(
      /windows-5-12-3 +Unknown +Run +Windows +5\.12\.3 +phase 1: 20 % of 5 % +379\/380 +1 +AwaitingEvidence +Thursday 2026-11-26 09:00 UTC/,
    );
  });

  it("[I15] --account reads the AccountPolicy of that namespace and nothing else", async () => {
    const { metadata } = await givenRollout();
    await givenPolicy(undefined, { account: "acme", clients: [reads(metadata.uid, { pilot: numbers(4) })] });
    const asked: string[] = [];
    terminal.fault = ({ verb, kind, namespace }) => {
      asked.push(`${verb} ${kind} ${namespace ?? "everywhere"}`);
      return namespace === "acme" ? undefined : { error: new ApiError(403, "Forbidden", "not yours") };
    };
    const [code, text] = await says("status", "clientrollout/windows-5-12-3", "--account", "acme");
    expect([code, asked]).toEqual([0, ["get AccountPolicy acme"]]);
    expect(text).toMatch(/^Account acme\n/);
    expect(text).toMatch(
      /windows-5-12-3 +Windows +5\.12\.3 +phase-1 +reached +40 +40 +40 +39 +1 +2 +4 of 4, 0 failed +Run +Thursday 2026-11-26 09:00 UTC +- +48 weeks left\n/,
    );
    expect(await says("status", "--account", "acme", "-o", "json")).toEqual([0, expect.stringContaining('"supportWeeksLeft": 48')]);
    expect(await says("status", "windows-5-12-4", "--account", "acme")).toEqual([
      4,
      "account acme knows no ClientRollout windows-5-12-4; did you mean windows-5-12-3?\n",
    ]);
  });

  it("[C7] a file that a gateway cannot read stands on the page, whatever the forecast says", async () => {
    await givenRollout();
    const message = "gateway gateway-1 offers it to nobody: /files/client.msi could not be read (ENOENT); put the file there";
    const found = await rollout();
    const status = { ...found.status!, holds: [{ rule: "C7", reason: "ArtifactMissing", message }] };
    await terminal.cluster.updateStatus(CLIENT_ROLLOUT, { ...found, status });
    expect((await says("status", "cliro/windows-5-12-3"))[1]).toContain(`\nAttention: ArtifactMissing: ${message}\n`);
  });

  it("[C5] the end of an account's own pause stands beside its reason, in the zone that is asked for", async () => {
    const { metadata } = await givenRollout();
    const pause = { version: "5.12.3.0", reason: "audit", until: "2026-12-19T23:00:00Z" };
    const held = { by: "Pause", since: "2026-11-24T00:00:00Z", generation: 1 };
    const seen = reads(metadata.uid, { effective: "Paused", reasons: ["the account paused 5.12.3: audit"], held });
    await givenPolicy({ windows: { upgrade: "Automatic", pause } }, { account: "acme", clients: [seen] });
    const why = "the account paused 5.12.3: audit; its pause ends Sunday 2026-12-20 00:00 Europe/Berlin";
    expect((await says("status", "--account", "acme", "--zone", "Europe/Berlin"))[1]).toContain(why);
    expect((await says("status", "cliro/windows-5-12-3", "-o", "wide", "--zone", "Europe/Berlin"))[1]).toContain(why);
    await givenPolicy(
      { windows: { upgrade: "Automatic", pause } },
      { account: "globex", clients: [reads(metadata.uid, { effective: "Paused", reasons: ["a report"] })] },
      "globex",
    );
    expect((await says("status", "--account", "globex"))[1], "held by somebody else").not.toContain("its pause ends");
  });

  it("whoever may not read all accounts sees the rollout, and that the rest is missing; a zone that is none is refused", async () => {
    await givenRollout();
    terminal.fault = ({ kind }) => (kind === "AccountPolicy" ? { error: new ApiError(403, "Forbidden", "no") } : undefined);
    expect((await says("status", "cliro/windows-5-12-3"))[1]).toContain(
      "who asks may not read the policies of all accounts; --account NAME shows one\n",
    );
    expect(await says("status", "cliro/windows-5-12-3", "--zone", "Europe/Berlln")).toEqual([2, expect.stringContaining("--zone: ")]);
  });
});

describe("[C5] the provider's word", () => {
  it("pause writes Paused with its reason, once; resume takes both away; stop is for ever", async () => {
    await givenRollout();
    expect(await says("pause", "cliro/windows-5-12-3")).toEqual([
      2,
      'say why by --reason "…": it is shown to everybody whom the pause holds\n',
    ]);
    expect((await says("pause", "cliro/windows-5-12-3", "--reason", "a report"))[1]).toContain(
      "is paused: nothing of it is offered any more",
    );
    expect((await rollout()).spec).toMatchObject({ requested: "Paused", reason: "a report" });
    expect((await says("pause", "cliro/windows-5-12-3", "--reason", "a report"))[1]).toContain("is paused already; nothing was written");
    expect((await says("resume", "cliro/windows-5-12-3"))[1]).toContain("is resumed: lifted the provider's pause");
    expect((await rollout()).spec).toMatchObject({ requested: "Run" });
    expect((await rollout()).spec.reason).toBeUndefined();
    expect((await says("resume", "cliro/windows-5-12-3"))[1]).toContain("is not paused; nothing was written");
    expect((await says("stop", "cliro/windows-5-12-3", "--reason", "it crashes"))[1]).toContain(
      "is stopped for ever: 5.12.3 is offered to nobody",
    );
    for (const verb of ["pause", "resume", "stop"])
      expect(await says(verb, "cliro/windows-5-12-3", "--reason", "x")).toEqual([
        4,
        expect.stringMatching(/stopped.*it crashes.*; nothing was written/),
      ]);
  });

  it("resume lifts an automatic pause by a request of this moment, and not twice", async () => {
    const paused = { at: "2026-11-24T11:00:00Z", by: "Failures", message: "15 of 200 failed" };
    await givenRollout({}, { ...STATUS, monitoring: { paused } });
    expect((await says("resume", "cliro/windows-5-12-3"))[1]).toContain(
      "lifted its automatic pause (15 of 200 failed); what failed until now counts as judged",
    );
    expect((await rollout()).spec.requests).toEqual({ resume: { at: "2026-11-24T12:00:00.000Z" } });
    expect((await says("resume", "cliro/windows-5-12-3"))[1]).toContain("was asked to go on already");
  });

  it("a rollout that another one mends takes no word any more; nothing is taken back or retried", async () => {
    await givenRollout(
      {},
      { ...STATUS, stopped: { at: "2026-11-24T11:00:00Z", by: "Superseded", message: "ClientRollout windows-5-12-4 (5.12.4) mends it" } },
    );
    expect(await says("pause", "cliro/windows-5-12-3", "--reason", "x")).toEqual([
      4,
      expect.stringContaining("windows-5-12-4 (5.12.4) mends it; speak to that one"),
    ]);
    expect(await says("take-back", "cliro/windows-5-12-3")).toEqual([4, expect.stringContaining("a Client is never taken back")]);
    expect(await says("retry", "cliro/windows-5-12-3")).toEqual([4, expect.stringContaining("rollward resume lifts an automatic pause")]);
    expect(await says("stop", "pop/fra1", "--reason", "x")).toEqual([2, expect.stringContaining("leave --reason out")]);
  });

  it("somebody else's word in between is seen before ours is written", async () => {
    await givenRollout();
    let patches = 0;
    terminal.fault = ({ verb }) =>
      verb === "patch" && patches++ < 2 ? { error: new ApiError(409, "Conflict", "somebody was here") } : undefined;
    expect((await says("pause", "cliro/windows-5-12-3", "--reason", "x"))[0]).toBe(0);
    expect(patches).toBe(3);
  });
});

describe("[C5] an account's own pause", () => {
  const PAUSE = ["pause", "clients", "--account", "acme", "--os", "windows", "--version", "5.12.3", "--reason", "audit"];

  it("stands in its AccountPolicy with version, reason and end; again it is written once, and resume takes it out", async () => {
    await givenPolicy();
    expect(await says(...PAUSE, "--until", "2026-12-20T00:00+01:00")).toEqual([
      0,
      "AccountPolicy acme, Clients on Windows: 5.12.3 is paused until 2026-12-19T23:00:00Z; installations in hand finish, and a newer version is not held by it\n",
    ]);
    expect((await policy()).spec.clients?.windows?.pause).toEqual({ version: "5.12.3", reason: "audit", until: "2026-12-19T23:00:00Z" });
    expect((await says(...PAUSE, "--until", "2026-12-20T00:00+01:00"))[1]).toContain("5.12.3 is paused already; nothing was written");
    expect((await says("resume", "clients", "--account", "acme", "--os", "windows"))[1]).toContain("the pause of 5.12.3 is lifted (audit)");
    expect((await policy()).spec.clients?.windows?.pause).toBeUndefined();
    expect((await says("resume", "clients", "--account", "acme", "--os", "windows"))[1]).toContain(
      "no pause stands there; nothing was written",
    );
  });

  it("another version's pause is not replaced, a managed system has nothing to pause, and a version nobody knows is told", async () => {
    await givenPolicy(
      { windows: { upgrade: "Automatic", pause: { version: "5.12.3", reason: "audit" } }, macos: { upgrade: "Automatic" } },
      { clients: [reads("u", { os: "macOS", version: "5.12.3" })] },
    );
    expect(await says("pause", "clients", "--account", "acme", "--os", "windows", "--version", "5.12.4", "--reason", "x")).toEqual([
      4,
      expect.stringContaining(
        "5.12.3 is paused (audit), and there is one pause; lift it first by rollward resume clients --account acme --os windows",
      ),
    ]);
    expect(await says("pause", "clients", "--account", "acme", "--os", "linux", "--version", "5.12.4", "--reason", "x")).toEqual([
      4,
      expect.stringContaining("the account manages them itself"),
    ]);
    expect(await says("pause", "clients", "--account", "acme", "--os", "macOS", "--version", "5.12.33", "--reason", "x")).toEqual([
      0,
      expect.stringContaining(
        "no ClientRollout of 5.12.33 is known to the account (on their way to it are 5.12.3); did you mean 5.12.3? The pause holds once one comes",
      ),
    ]);
  });

  it.each([
    [
      ["pause", "clients", "--os", "windows"],
      "whose Clients, on which system? Write rollward pause clients --account acme --os windows --version 5.12.3",
    ],
    [["pause", "clients", "--account", "acme", "--os", "windows", "--reason", "x"], "an account's pause names a version"],
    [[...PAUSE.slice(0, 6), "--version", "soon", "--reason", "x"], "--version: "],
    [[...PAUSE, "--until", "tomorrow"], '--until is "tomorrow", which is no instant'],
    [[...PAUSE, "--until", "2026-11-24T12:00:00Z"], "which is over"],
    [PAUSE.slice(0, 8), "say why by --reason"],
    [["pause", "pop/fra1", "--account", "acme"], "--account is for the Clients of an account"],
    [["resume", "clients", "--account", "acme", "--os", "windows", "--reason", "x"], "a pause is lifted as a whole"],
  ])("%j: exit code 2 and a sentence", async (words, sentence) => {
    await givenPolicy();
    expect(await says(...words)).toEqual([2, expect.stringContaining(sentence)]);
  });

  it("an account without a policy is told what to write", async () => {
    expect(await says(...PAUSE)).toEqual([
      4,
      "there is no AccountPolicy in namespace acme; write one, named account, with clients.windows and so on\n",
    ]);
  });
});

describe("[C4] approve", () => {
  const WAITS = { ...STATUS, digest: DIGEST, holds: [{ rule: "C4", reason: "AwaitingEvidence", message: "a person decides" }] };

  it("of a stage that cannot be judged goes as far as asking who decides; nothing waits: it says what it waits for instead", async () => {
    await givenRollout({}, WAITS);
    // The in-memory server does not know who we are.
    expect((await says("approve", "cliro/windows-5-12-3", "--reason", "few, and well"))[1]).toMatch(
      /SelfSubjectReview|selfsubjectreviews/i,
    );
    await givenRollout({}, STATUS, "other");
    expect(await says("approve", "cliro/other", "--reason", "x")).toEqual([
      4,
      "ClientRollout other: nothing waits for an approval (it waits for AwaitingEvidence: stage phase-1 lasts until then); nothing was written\n",
    ]);
    expect(await terminal.cluster.list(APPROVAL, { namespace: "fleet" })).toEqual([]);
  });

  it("status names one that does nothing, and not any more once its rollout is over", async () => {
    const { metadata } = await givenRollout({}, WAITS);
    const spec = {
      for: { kind: "ClientRollout", name: metadata.name, uid: metadata.uid, digest: DIGEST },
      actions: ["Promote"],
      decision: "Approve",
      reason: "x",
      approvedBy: "olga",
      expiresAt: "2026-11-23T00:00:00Z",
    };
    const expired = {
      type: "Accepted",
      status: "False",
      reason: "Expired",
      message: "it expired",
      lastTransitionTime: "2026-11-23T00:00:00Z",
    };
    const draft = { apiVersion: API_VERSION, kind: "Approval", metadata: { name: "late", namespace: "fleet" }, spec } as never;
    await terminal.given(APPROVAL, draft, { conditions: [expired] });
    expect((await says("status"))[1]).toMatch(/late +windows-5-12-3 +Promote +olga +Expired +it expired\n/);
    await terminal.cluster.updateStatus(CLIENT_ROLLOUT, {
      ...(await rollout()),
      status: clientRolloutStatus.parse({ ...STATUS, standingSince: "2026-11-24T00:00:00Z" }),
    });
    expect((await says("status"))[1]).not.toContain("late");
  });

  it.each([
    [["--stage", "pilot"], 4, "stage pilot waits for nobody; phase-1 does, write --stage phase-1 or leave it out"],
    [["--digest", `sha256:${"b".repeat(64)}`], 4, "it changed since"],
    [["--wave", "w"], 2, "leave --wave and --freeze out"],
    [["--action", "Emergency"], 2, "leave --action out"],
  ])("%j is refused", async (words, code, sentence) => {
    await givenRollout({}, WAITS);
    expect(await says("approve", "cliro/windows-5-12-3", "--reason", "x", ...words)).toEqual([code, expect.stringContaining(sentence)]);
  });
});
