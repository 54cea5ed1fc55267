import { beforeEach, describe, expect, it } from "vitest";
import { ACCOUNT_POLICY, accountPolicySpec } from "../api/account-policy.ts";
import { API_VERSION } from "../api/common.ts";
import { SOCKET_ROLLOUT, socketRolloutSpec, socketRolloutStatus } from "../api/socket-rollout.ts";
import { SOCKET_SITE, socketSiteSpec, socketSiteStatus } from "../api/socket-site.ts";
import { ApiError } from "../control/ports.ts";
import { registerExplain, Terminal } from "./cli.examples.ts";
import { registerNoticeSecret } from "./notice-secret.ts";
import { registerPause } from "./pause.ts";
import { registerRequests } from "./requests.ts";
import { registerStatus } from "./status.ts";
import { registerStories } from "./stories.ts";
import { registerUpgradeNow } from "./upgrade-now.ts";

const NOW = Date.parse("2026-11-30T09:00:00Z");
let terminal: Terminal;
let cluster: Terminal["cluster"];
let printed: string;
let complaint: string;
let code: number | undefined;

beforeEach(() => {
  terminal = new Terminal({
    now: NOW,
    commands: (program, io) => {
      for (const register of [registerStatus, registerExplain, registerPause, registerRequests, registerStories, registerUpgradeNow])
        register(program, io);
      registerNoticeSecret(program, io, async (path, account) => {
        if (path !== "key") throw new Error(`--notice-key ${path} cannot be read (ENOENT)`);
        return `secret of ${account}`;
      });
    },
  });
  ({ cluster } = terminal);
});

async function rollward(line: string): Promise<void> {
  await terminal.run(line);
  ({ printed, complaint, code } = terminal);
}

const socket = (serial: string, version: string, more: object = {}) => ({
  serial,
  role: serial.endsWith("1") ? "Primary" : "Secondary",
  state: serial.endsWith("1") ? "Active" : "Standby",
  model: "X1600",
  version,
  connected: true,
  ...more,
});
const story = (more: object = {}) => ({
  id: "story-1",
  title: "HA Status is not ready",
  openedAt: "2026-11-29T02:00:00Z",
  severity: "AtRisk",
  lower: { serial: "S-2001", version: "15.0" },
  higher: { serial: "S-2002", version: "18.0" },
  missingMajors: [16, 17, 18],
  steps: ["S-2001 is upgraded to 18.0."],
  remedy: { action: "Upgrade", serial: "S-2001", version: "18.0", at: "2026-12-06T00:35:00Z" },
  ...more,
});

async function givenSite(name: string, status: object, { namespace = "acme", ...more }: { namespace?: string; timeZone?: string } = {}) {
  const spec = socketSiteSpec.parse({
    timeZone: "Europe/Berlin",
    sockets: [
      { serial: "S-2001", role: "Primary" },
      { serial: "S-2002", role: "Secondary" },
    ],
    ...more,
  });
  const created = await cluster.create(SOCKET_SITE, { apiVersion: API_VERSION, kind: "SocketSite", metadata: { name, namespace }, spec });
  await cluster.updateStatus(SOCKET_SITE, { ...created, status: socketSiteStatus.parse(status) });
}

const mixed = (more: object = {}) => ({
  lowestVersion: "15.0",
  sockets: [socket("S-2001", "15.0"), socket("S-2002", "18.0")],
  ha: { status: "NotReady", checks: [], story: story(more) },
});

async function givenRollout(name: string, version: string, status: object = {}) {
  const artifact = { url: "socket.swu", sha256: "a".repeat(64), size: 10 };
  const spec = socketRolloutSpec.parse({ version, announcedAt: "2026-11-20T09:00:00Z", artifact });
  const metadata = { name, namespace: "fleet" };
  const created = await cluster.create(SOCKET_ROLLOUT, { apiVersion: API_VERSION, kind: "SocketRollout", metadata, spec });
  await cluster.updateStatus(SOCKET_ROLLOUT, { ...created, status: socketRolloutStatus.parse(status) });
}
const readRollout = async (name: string) => (await cluster.get(SOCKET_ROLLOUT, name, "fleet"))!;
const readSite = async (name = "berlin") => (await cluster.get(SOCKET_SITE, name, "acme"))!;

describe("stories", () => {
  it("[S6] [S7] the worst first, of equal ones the oldest: both Sockets, the majors missing, since when and the remedy on the site's clock", async () => {
    await givenSite("berlin", mixed());
    await givenSite("munich", mixed({ openedAt: "2026-11-22T02:00:00Z", remedy: { action: "AwaitFixedVersion", serial: "S-2001" } }));
    await givenSite("tokyo", mixed({ severity: "Degraded", remedy: { action: "Upgrade", serial: "S-2001", version: "18.0" } }), {
      namespace: "zeta",
      timeZone: "Asia/Tokyo",
    });
    await givenSite("quiet", { ha: { status: "Ready", checks: [] } });
    await rollward("stories -A");
    expect(printed).toBe(
      [
        "SITE         SEVERITY  LOWER        HIGHER       MISSING MAJORS  SINCE                                  REMEDY",
        "zeta/tokyo   Degraded  S-2001 15.0  S-2002 18.0  16, 17, 18      Sunday 2026-11-29 11:00 Asia/Tokyo     S-2001 to 18.0, on request (rollward upgrade-now)",
        "acme/munich  AtRisk    S-2001 15.0  S-2002 18.0  16, 17, 18      Sunday 2026-11-22 03:00 Europe/Berlin  wait for a fixed version",
        "acme/berlin  AtRisk    S-2001 15.0  S-2002 18.0  16, 17, 18      Sunday 2026-11-29 03:00 Europe/Berlin  S-2001 to 18.0, Sunday 2026-12-06 01:35 Europe/Berlin",
        "",
      ].join("\n"),
    );
    await rollward("stories -n zeta -o json");
    expect(JSON.parse(printed)).toMatchObject([{ site: "zeta/tokyo", timeZone: "Asia/Tokyo", state: "Open", missingMajors: [16, 17, 18] }]);
  });

  it("[S6] --history shows those that are resolved, the newest first; without it they are not told", async () => {
    const history = [story({ resolvedAt: "2026-11-15T01:00:00Z" }), story({ id: "story-0", resolvedAt: "2026-10-04T01:00:00Z" })];
    await givenSite("berlin", { ha: { status: "Ready", checks: [], history } });
    await rollward("stories -n acme");
    expect([code, printed]).toEqual([0, "no story is open\n"]);
    await rollward("stories -n acme --history");
    const lines = printed.split("\n");
    expect(lines[0]).toBe("no story is open");
    expect(lines[2]).toMatch(/SINCE +RESOLVED$/);
    expect(lines.slice(3, 5).map((line) => /Sunday (\S+) \S+ Europe\/Berlin$/.exec(line)?.[1])).toEqual(["2026-11-15", "2026-10-04"]);
    await rollward("stories -n acme --history -o json");
    expect((JSON.parse(printed) as { state: string; id: string }[]).map(({ state, id }) => [state, id])).toEqual([
      ["Resolved", "story-1"],
      ["Resolved", "story-0"],
    ]);
  });

  it.each(["stories", "stories -A -n acme"])("%s is refused: one account, or all", async (line) => {
    await rollward(line);
    expect([code, complaint]).toEqual([2, "name the account's namespace by -n, or write -A for every account; one of the two\n"]);
  });
});

describe("upgrade-now", () => {
  beforeEach(async () => {
    await givenSite("berlin", mixed());
    await givenRollout("s-18-0", "18.0");
  });

  it("[S4] writes the request once asked, by its time, and keeps what else stands there", async () => {
    await rollward("upgrade-now site/acme/berlin S-2001 18.0");
    expect([code, printed]).toEqual([
      0,
      "SocketSite acme/berlin: S-2001 is asked to go to 18.0 now; rollward explain site/acme/berlin says what comes of it\n",
    ]);
    const upgradeNow = { serial: "S-2001", version: "18.0", at: "2026-11-30T09:00:00.000Z", acceptDowntime: false };
    expect((await readSite()).spec.requests).toEqual({ upgradeNow });
    await rollward("upgrade-now site/acme/berlin S-2001 18.0 --accept-downtime");
    expect((await readSite()).spec.requests).toEqual({ upgradeNow: { ...upgradeNow, acceptDowntime: true } });
  });

  it.each([
    [
      "site/acme/berlin S-2003 18.0",
      4,
      "SocketSite acme/berlin: no Socket S-2003 is at this site; did you mean S-2001?; nothing was written\n",
    ],
    ["site/acme/berlin S-2002 18.0.0", 4, "SocketSite acme/berlin: S-2002 runs 18.0.0 already; nothing was written\n"],
    ["site/acme/berlin S-2001 19.0", 4, "SocketSite acme/berlin: no SocketRollout carries 19.0; write one of 18.0; nothing was written\n"],
    ["site/acme/berlin S-2001 18", 2, '"18" is no version; write 18.0\n'],
    ["site/acme/munich S-2001 18.0", 4, "there is no SocketSite munich in namespace acme; it has berlin\n"],
    ["sockro/s-18-0 S-2001 18.0", 2, "this is not possible with a SocketRollout; write SocketSite/NAMESPACE/NAME\n"],
  ])("%s ends with %i, says what to write instead and writes nothing", async (words, expected, sentence) => {
    await rollward(`upgrade-now ${words}`);
    expect([code, complaint]).toEqual([expected, sentence]);
    expect((await readSite()).spec.requests).toBeUndefined();
  });

  it("[V3] an older version, and one of a rollout that is stopped, are refused", async () => {
    await givenRollout("s-17-0", "17.0");
    await rollward("upgrade-now site/acme/berlin S-2002 17.0");
    expect(complaint).toBe("SocketSite acme/berlin: S-2002 runs 18.0, and nothing is downgraded (rule V3); nothing was written\n");
    await givenRollout("s-18-4", "18.4", { stopped: { at: "2026-11-29T03:00:00Z", by: "Failures", message: "3 of 60 sites failed" } });
    await rollward("upgrade-now site/acme/berlin S-2002 18.4");
    expect(complaint).toBe("SocketSite acme/berlin: SocketRollout s-18-4 is stopped and starts nothing more; nothing was written\n");
  });

  it("[S4] what only holds it is told, and it is written all the same", async () => {
    const away = { ...mixed(), sockets: [socket("S-2001", "15.0"), socket("S-2002", "18.0", { connected: false })] };
    await givenSite("munich", away);
    await rollward("upgrade-now site/acme/munich S-2001 18.0");
    expect(printed).toContain("now; it waits, for a day at most, until S-2002 is connected (or ask with --accept-downtime);");
    expect((await readSite("munich")).spec.requests?.upgradeNow?.serial).toBe("S-2001");
  });

  it("[I15] an account that may not read the provider's rollouts asks all the same; somebody else's write in between is looked at again", async () => {
    let refused = 0;
    terminal.fault = ({ verb, kind }) => {
      if (verb === "list" && kind === "SocketRollout") return { error: new ApiError(403, "Forbidden", "no") };
      return verb === "patch" && refused++ < 1 ? { error: new ApiError(409, "Conflict", "somebody was here") } : undefined;
    };
    await rollward("upgrade-now site/acme/berlin S-2001 18.0");
    expect([code, refused]).toEqual([0, 2]);
  });
});

describe("a rollout of Sockets on the command line", () => {
  const numbers = { sites: 2_000, inRamp: 100, offered: 90, attempted: 80, confirmed: 70, failed: 1, unreachable: 5 };
  const going = {
    ramp: { step: 0, percent: 5, opened: [{ percent: 5, at: "2026-11-20T09:00:00Z" }] },
    numbers,
    skipped: [{ reason: "OutsideWindow", sites: 10 }],
    conditions: [{ type: "Progressing", status: "True", reason: "Rolling", message: "", lastTransitionTime: "2026-11-20T09:00:00Z" }],
  };

  it("[G13] is paused, resumed and stopped once; a stop cannot be asked of what is stopped", async () => {
    await givenRollout("s", "18.0", going);
    await rollward("pause sockro/s");
    expect(printed).toBe(
      "SocketRollout s is paused: nothing new starts; a site in hand is finished, both Sockets of a pair. It counts once the condition Paused is True\n",
    );
    expect((await readRollout("s")).spec.paused).toBe(true);
    await rollward("resume socketrollout/s");
    expect((await readRollout("s")).spec.paused).toBe(false);
    await rollward("stop sockro/s");
    expect((await readRollout("s")).spec.requests).toEqual({ stop: { at: "2026-11-30T09:00:00.000Z" } });
    await givenRollout("over", "17.0", { stopped: { at: "2026-11-29T03:00:00Z", by: "Person", message: "a person stopped it" } });
    await rollward("stop sockro/over");
    expect([code, complaint]).toEqual([4, "SocketRollout over: it was stopped already: a person stopped it; nothing was written\n"]);
  });

  it.each(["take-back", "retry"])("[V3] %s is refused with what to do instead", async (verb) => {
    await givenRollout("s", "18.0", going);
    await rollward(`${verb} sockro/s`);
    expect([code, complaint]).toEqual([4, expect.stringMatching(/roll a fixed version.*; nothing was written\n$/)]);
    expect((await readRollout("s")).spec.requests).toBeUndefined();
  });

  it("[S10] stands in status beside the PoPs, and alone with its ramp, its numbers and why sites wait", async () => {
    await givenRollout("s", "18.0", going);
    await rollward("status");
    expect(printed).toBe(
      [
        "SOCKET ROLLOUT  STATE    VERSION  RAMP  CONFIRMED  FAILED  UNREACHABLE  WAITS FOR  UNTIL  FINISHES",
        "s               Rolling  18.0     5 %   70/2000    1       5            -          -      -",
        "",
        "",
      ].join("\n"),
    );
    await rollward("status sockro/s");
    expect(printed).toBe(
      [
        "SocketRollout s (18.0) has reached 5 % of the sites",
        "",
        "RAMP   LASTS  OPENED",
        "5 %    168h   2026-11-20T09:00:00Z",
        "25 %   168h   not yet",
        "100 %  168h   not yet",
        "",
        "SITES  IN RAMP  OFFERED  ATTEMPTED  CONFIRMED  FAILED  UNREACHABLE",
        "2000   100      90       80         70         1       5",
        "",
        "SITES WAIT FOR  SITES",
        "OutsideWindow   10",
        "",
      ].join("\n"),
    );
    await rollward("status sockro/s -o json");
    expect(JSON.parse(printed)).toMatchObject({ name: "s", version: "18.0", numbers, ramp: { percent: 5 } });
    await rollward("explain socketrollout/s");
    expect(printed).toContain("SocketRollout s (18.0) has reached 5 % of the sites");
  });
});

describe("a site on the command line", () => {
  it("[G2] status goes Socket by Socket, explain says why not yet; control characters of a device do not reach the terminal", async () => {
    const lastAttempt = {
      command: "c",
      version: "18.0",
      endedAt: "2026-11-29T01:00:00Z",
      outcome: "Failed",
      reason: "Install\u001b[31mFailed",
    };
    const sockets = [socket("S-2001", "15.0", { lastAttempt }), socket("S-2002", "18.0", { connected: false })];
    const holds = [{ rule: "S3", reason: "NotConnected", message: "S-2002 is not connected" }];
    await givenSite("berlin", { ...mixed(), sockets, holds });
    await rollward("status site/acme/berlin");
    expect(printed).toBe(
      [
        "SocketSite acme/berlin runs 15.0 and 18.0; nothing is planned for it",
        "Waits for NotConnected (rule S3): S-2002 is not connected; no time is known",
        "High availability: NotReady",
        "SOCKET  ROLE       STATE    MODEL  VERSION  CONNECTED  LAST ATTEMPT",
        "S-2001  Primary    Active   X1600  15.0     yes        18.0 Failed (Install [31mFailed), Sunday 2026-11-29 02:00 Europe/Berlin (2026-11-29T01:00:00Z)",
        "S-2002  Secondary  Standby  X1600  18.0     no         -",
        "",
      ].join("\n"),
    );
    await rollward("status site/acme/berlin -o json");
    expect(JSON.parse(printed)).toMatchObject({ namespace: "acme", name: "berlin", version: "15.0", ha: { status: "NotReady" } });
    await rollward("explain site/acme/berlin");
    expect(printed).toContain("HA Status is not ready (AtRisk): S-2001 runs 15.0 and S-2002 18.0");
  });

  it("explain policy/NAMESPACE is the account's one policy, however it is written", async () => {
    const metadata = { name: "account", namespace: "acme" };
    await cluster.create(ACCOUNT_POLICY, { apiVersion: API_VERSION, kind: "AccountPolicy", metadata, spec: accountPolicySpec.parse({}) });
    for (const text of ["policy/acme", "acct/acme", "accountpolicy/acme/account"]) {
      await rollward(`explain ${text}`);
      expect([code, printed]).toEqual([0, "AccountPolicy acme has no status yet: no operator has looked at it\n"]);
    }
    await rollward("explain policy/other");
    expect([code, complaint]).toEqual([
      4,
      "there is no AccountPolicy account in namespace other; that namespace has no AccountPolicy at all (another one: policy/NAMESPACE)\n",
    ]);
  });
});

it("notice-secret prints the account's secret, or says what is wrong with the key", async () => {
  await rollward("notice-secret --account acme --notice-key key");
  expect([code, printed]).toEqual([0, "secret of acme\n"]);
  await rollward("notice-secret --account acme --notice-key none");
  expect([code, complaint]).toEqual([2, "--notice-key none cannot be read (ENOENT)\n"]);
});
