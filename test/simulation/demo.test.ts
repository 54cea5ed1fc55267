import { describe, expect, it } from "vitest";
import { UPDATING_TAINT } from "../../src/api/names.ts";
import { ACCOUNT_POLICY } from "../../src/api/account-policy.ts";
import { CHAPTERS } from "../../src/cli/demo/chapters.ts";
import type { Act } from "../../src/cli/demo/act.ts";
import { BERLIN, POPS, TOKYO, VERSIONS, type Versions } from "../../src/cli/demo/cast.ts";
import { demoOn, machineWith } from "../../src/cli/demo/demo.examples.ts";
import { EmbeddedStage } from "../../src/cli/demo/embedded-stage.ts";
import { PlainNarrator } from "../../src/cli/demo/plain-narrator.ts";
import { firstAct } from "../../src/cli/demo/first-act.ts";
import { BASE, CONTENT, RELEASES } from "../../src/cli/demo/fleet/cast.ts";
import { FLEET_CHAPTERS } from "../../src/cli/demo/fleet/chapters.ts";
import { secondAct } from "../../src/cli/demo/fleet/second-act.ts";
import { ACCOUNTS, faultyDraft } from "../../src/cli/demo/clients/cast.ts";
import { CLIENT_CHAPTERS } from "../../src/cli/demo/clients/chapters.ts";
import { claimPilotsAlone } from "../../src/cli/demo/clients/claims.ts";
import { fourthAct } from "../../src/cli/demo/clients/fourth-act.ts";
import type { ClientPlay } from "../../src/cli/demo/clients/play.ts";
import { SITES, TARGET } from "../../src/cli/demo/sockets/cast.ts";
import { claimLedgersAreClean } from "../../src/cli/demo/sockets/claims.ts";
import { SOCKET_CHAPTERS } from "../../src/cli/demo/sockets/chapters.ts";
import type { SocketPlay } from "../../src/cli/demo/sockets/play.ts";
import { thirdAct } from "../../src/cli/demo/sockets/third-act.ts";
import { SOCKET_SITE } from "../../src/api/socket-site.ts";
import type { DemoPorts } from "../../src/cli/demo/ports.ts";
import { runPlay } from "../../src/cli/demo/run-play.ts";
import type { Telling } from "../../src/cli/demo/telling.ts";
import { WHOLE_NODE } from "../../src/simulation/nodes/kubelet.ts";

interface Played {
  readonly code: number;
  readonly text: string;
}

const play = (changes: { versions?: Versions; chapters?: typeof CHAPTERS }): Promise<Played> => perform(firstAct(changes));

async function perform<P extends Telling>(act: Act<P>): Promise<Played> {
  let text = "";
  const out = (more: string) => void (text += more);
  const stage = await EmbeddedStage.open(act.setting, new AbortController().signal);
  try {
    const code = await runPlay({ act, stage, narrator: new PlainNarrator(out), out });
    return { code, text };
  } finally {
    await stage.close();
  }
}

const upTo = (title: RegExp) => CHAPTERS.slice(0, CHAPTERS.findIndex((chapter) => title.test(chapter.title)) + 1);

describe("rollward demo --embedded --act 1", () => {
  it("plays all eight chapters of the first act and ends with 0: both PoPs run the fixed version, and each of the four bad ones was taken back", async () => {
    const { code, text } = await play({});
    expect(code, text.slice(-2_000)).toBe(0);
    for (const { city } of POPS) expect(text).toContain(`✓ all 4 nodes of ${city} run ${VERSIONS.fixed}`);
    const page = text.slice(text.indexOf("== What was shown"));
    for (const bad of [VERSIONS.cannotBePulled, VERSIONS.crashes, VERSIONS.losesSessions, VERSIONS.badAfterAnHour]) {
      expect(page).toMatch(new RegExp(`^${bad.replaceAll(".", "[.]")} .* \\d+[.]\\d s$`, "m"));
    }
    expect(page).toMatch(/1\.2\.0-no-pull: .*ErrImagePull/);
    expect(page).toMatch(/1\.2\.1-crash-loop: .*exited 2 times/);
    expect(page).toMatch(/1\.2\.2-loses-sessions: reconnect: \d+ of \d+ sessions/);
    expect(page).toMatch(/1\.2\.3-bad-after-1h: .*healthz: GET http:\/\/\S+ answered 500/);
  }, 60_000);

  it("a good version that crashes after all makes it end with 1, with what was claimed and what was found", async () => {
    const { code, text } = await play({ versions: { ...VERSIONS, good: "1.1.0-crash-loop" }, chapters: upTo(/good version rolls/) });
    expect(code).toBe(1);
    expect(text).toContain("claimed: 1.1.0-crash-loop rolls through Tokyo\n  found:   TakenBack");
  }, 60_000);

  it("a bad version that is none makes it end with 1: nothing is found that would take it back", async () => {
    const { code, text } = await play({ versions: { ...VERSIONS, cannotBePulled: "1.2.0" }, chapters: upTo(/cannot be pulled/) });
    expect(code).toBe(1);
    expect(text).toContain(
      "claimed: 1.2.0 is taken back by itself, for the right reason\n  found:   status.history has 1.0.0 Promoted, 1.1.0 Promoted",
    );
  }, 60_000);

  it("a status that says what the nodes do not show makes it end with 1: the claim reads the pods and not the status", async () => {
    const chapters = upTo(/first version joins/).map((chapter) => ({
      ...chapter,
      run: async (stage: Parameters<typeof chapter.run>[0]) => {
        await chapter.run(stage);
        await stage.stage.perform(stage.stage.nodes.kill(`${TOKYO.name}-n2`));
        await stage.until("the node to be given up", () =>
          stage.chronicle.pods().some((pod) => pod.node === `${TOKYO.name}-n2` && !pod.ready),
        );
        expect((await stage.read(TOKYO)).status?.nodes?.map(({ step }) => step)).toEqual(["Done", "Done", "Done", "Done"]);
        await stage.claimServes(BERLIN, VERSIONS.first);
        await stage.claimServes(TOKYO, VERSIONS.first);
      },
    }));
    const { code, text } = await play({ chapters });
    expect(code).toBe(1);
    expect(text).toContain(
      `claimed: all 4 nodes of Tokyo run ${VERSIONS.first}\n  found:   tyo1-n1 1.0.0, tyo1-n2 serves nothing (NotReady)`,
    );
  }, 60_000);
});

/** The chapter that goes wrong, with what was before it. */
const fleetUpTo = (title: RegExp, change: (chapter: (typeof FLEET_CHAPTERS)[number]) => (typeof FLEET_CHAPTERS)[number]) => {
  const index = FLEET_CHAPTERS.findIndex((chapter) => title.test(chapter.title));
  return [...FLEET_CHAPTERS.slice(0, index), change(FLEET_CHAPTERS[index]!)];
};

describe("rollward demo --embedded --act 2", () => {
  it("[F1] [F4] [F5] [P15] plays forty PoPs: halted and taken back, mended over two Sundays, content on a Wednesday, and ends with 0", async () => {
    const { code, text } = await perform(secondAct());
    expect(code, text.slice(-3_000)).toBe(0);
    const chapters = text.split(/^== Act 2, /m).slice(1);
    expect(chapters).toHaveLength(6);
    expect(chapters[0]).toContain(`✓ all 43 nodes of the 40 PoPs run ${BASE}`);
    expect(chapters[2]).toMatch(
      /✓ 2026\.11\.2 halts in its second wave: canary Passed, early Open, rest Pending; it failed on .*the failure budget is 0/,
    );
    expect(chapters[2]).toContain(`✓ all 43 nodes of the 40 PoPs run ${BASE}`);
    expect(chapters[3]).toMatch(/✓ 2026\.11\.2\.1 runs on the 10 PoPs of its waves and on no other/);
    expect(chapters[4]).toContain(`✓ every data plane says itself that it has loaded ${CONTENT}: 43 of 43 nodes`);
    expect(chapters[4]).toMatch(/✓ no user noticed: 90 sessions in .*: 0 of them broke/);
    expect(chapters[5]).toContain(`✓ all 43 nodes of the 40 PoPs run ${RELEASES.fix}`);
    // Where eight PoPs of two regions wake up in the same hour, the fleet's limit is what holds them.
    expect(chapters[5]).toMatch(/✓ never more than 3 PoPs of the fleet were out to roll at once: 3 at most/);
  }, 240_000);

  it("a release that was built for every machine after all makes it end with 1: nothing halts it", async () => {
    const releases = { ...RELEASES, missing: [] };
    const { code, text } = await perform(secondAct({ releases, chapters: fleetUpTo(/second wave halts it/, (chapter) => chapter) }));
    expect(code).toBe(1);
    expect(text).toContain("claimed: 2026.11.2 halts in its second wave\n  found:   canary Passed, early Passed, rest Pending; not halted");
  }, 120_000);

  it("[P15] content that comes with a reboot of one node makes it end with 1: the claim names the pod that is not what it was", async () => {
    const chapters = [
      FLEET_CHAPTERS[0]!,
      ...fleetUpTo(/content, on a Wednesday/, (chapter) => ({
        ...chapter,
        run: async (fleet) => {
          const ask = fleet.ask.bind(fleet);
          fleet.ask = async (draft) => {
            await ask(draft);
            await fleet.stage.perform(fleet.stage.nodes.reboot("lon1-n1"));
          };
          await chapter.run(fleet);
        },
      })).slice(-1),
    ];
    const { code, text } = await perform(secondAct({ chapters }));
    expect(code).toBe(1);
    expect(text).toMatch(/claimed: it changed no pod UID.*\n  found:   changed: pod lon1-/);
  }, 120_000);

  it("[F3] [F2] [W4] people who pull nodes out by hand at noon make it end with 1: the limits are read from the nodes", async () => {
    const chapters = fleetUpTo(/canaries are well/, (chapter) => ({
      ...chapter,
      run: async (fleet) => {
        const { cluster } = fleet.stage;
        const explain = fleet.explain.bind(fleet);
        fleet.explain = async (...asked) => {
          await explain(...asked);
          for (const node of ["fra1-n1", "ber1-n1"])
            await fleet.stage.perform(
              cluster.patch(WHOLE_NODE, node, undefined, [
                { op: "add", path: "/spec/taints", value: [{ key: UPDATING_TAINT, value: "by-hand", effect: "NoSchedule" }] },
              ]),
            );
        };
        await chapter.run(fleet);
      },
    }));
    const { code, text } = await perform(secondAct({ chapters }));
    expect(code).toBe(1);
    expect(text).toMatch(
      /claimed: each PoP was inside its own window.*\n  found:   2 outside: fra1-n1 at 2026-11-20 \d\d:\d\d:\d\d Europe\/Berlin/,
    );
  }, 120_000);
});

/** The chapters up to the one of that title, in which somebody does something at its beginning. */
function socketsUpTo(title: RegExp, first: (sockets: SocketPlay) => Promise<void> | void): typeof SOCKET_CHAPTERS {
  const index = SOCKET_CHAPTERS.findIndex((chapter) => title.test(chapter.title));
  const chapter = SOCKET_CHAPTERS[index]!;
  const run = async (sockets: SocketPlay) => {
    await first(sockets);
    await chapter.run(sockets);
  };
  return [...SOCKET_CHAPTERS.slice(0, index), { ...chapter, run }];
}

describe("rollward demo --embedded --act 3", () => {
  it("[W3] [S10] [L3] plays 200 sites in 30 zones through three Sundays: windows, notice, pairs and ramp as their own ledgers have it, four sites left out by name", async () => {
    const { code, text } = await perform(thirdAct());
    expect(code, text.slice(-3_000)).toBe(0);
    const chapters = text.split(/^== Act 3, /m).slice(1);
    expect(chapters).toHaveLength(5);
    expect(chapters[1]).toMatch(/✓ and its account had taken the notice at least 48 hours before: \d{2,3}\.\d h at the least/);
    expect(chapters[3]).toMatch(/✓ London's window was the hour from 02:00 to 03:00, .* upgraded in it: S-\d{4} at 02:/);
    expect(chapters[3]).toMatch(/✓ none of London's pairs was begun in it, .* planned for the Sunday after: london-\d/);
    expect(chapters[4]).toMatch(/✓ every other site runs 18\.3\.3; .*: 196 of 200; /);
    const page = text.slice(text.indexOf("== What was shown"));
    expect(page.match(/left out: \S+, NotConnected: .* is not connected/g)).toHaveLength(3);
    expect(page).toMatch(/left out: \S+, InstallFailed/);
    expect(new Set(SITES.map(({ timeZone }) => timeZone)).size).toBe(30);
  }, 120_000);

  it("[S6] [S7] a pair left on two majors by hand: the story names both serials and the remedy, and closes by itself in its next window", async () => {
    const { text } = await perform(thirdAct({ chapters: SOCKET_CHAPTERS.slice(0, 4) }));
    const pair = /✓ there is a pair in America whose turn has not come: \S+\/(\S+)/.exec(text)![1]!;
    const [one, other] = SITES.find(({ name }) => name === pair)!.sockets.map(({ serial }) => serial);
    expect(text).toMatch(
      new RegExp(`✓ the story names both .* HA Status is not ready .*${other} is upgraded to 18\\.3\\.3 Sunday 2026-03-29`),
    );
    expect(text).toContain(`✓ ${other} was brought to 18.3.3 in its next window, and nobody touched ${one}`);
    expect(text).toMatch(/✓ the story closed by itself: .*: HA is Ready, resolved at 2026-03-29T/);
  }, 120_000);

  it("[W1] a Socket that a person upgrades on a Monday afternoon makes it end with 1: the claim names it with the hour on its own clock", async () => {
    const site = SITES.find(({ name }) => name === "tokyo-1")!;
    const byHand = async (sockets: SocketPlay) => {
      const { cluster } = sockets.stage;
      await sockets.announce();
      const at = new Date(sockets.stage.clock.now()).toISOString();
      const upgradeNow = { serial: site.sockets[0]!.serial, version: TARGET, at, acceptDowntime: true };
      const patch = { op: "add", path: "/spec/requests", value: { upgradeNow } } as const;
      await sockets.stage.perform(cluster.patch(SOCKET_SITE, site.name, site.namespace, [patch]));
      const isDone = () => sockets.tellings().some(({ entry }) => entry.outcome !== undefined);
      await sockets.until("the request to be carried out", isDone, 3_600_000);
      await claimLedgersAreClean(sockets);
    };
    const chapters = [SOCKET_CHAPTERS[0]!, { title: "a request", story: "", run: byHand }];
    const { code, text } = await perform(thirdAct({ chapters }));
    expect(code).toBe(1);
    expect(text).toMatch(
      /claimed: every Socket was told inside its window.*\n  found:   1 outside: S-\d{4} of \S+tokyo-1 at 2026-03-16 17:\d\d/,
    );
  }, 120_000);

  it("[L3] a site that falls silent and that nobody has named makes it end with 1", async () => {
    const chapters = socketsUpTo(/third Sunday/, (sockets) => {
      const silent = SITES.findLast((site) => site.city === "Lima" && sockets.statusOf(site).upgrade?.step !== "Completed")!;
      for (const { serial } of silent.sockets) sockets.field.devices.device(serial).unplug();
    });
    const { code, text } = await perform(thirdAct({ chapters }));
    expect(code).toBe(1);
    expect(text).toMatch(/claimed: every other site runs 18\.3\.3; .*\n  found:   195 of 200; /);
  }, 120_000);

  it("[S6] a pair whose other Socket is away in its window makes it end with 1: it is not mended", async () => {
    const chapters = socketsUpTo(/second Sunday/, (sockets) => {
      const pair = SITES.find((site) => sockets.statusOf(site).ha?.story !== undefined)!;
      sockets.field.devices.device(pair.sockets[1]!.serial).unplug();
    });
    const { code, text } = await perform(thirdAct({ chapters }));
    expect(code).toBe(1);
    expect(text).toMatch(/claimed: S-\d{4}-B was brought to 18\.3\.3 in its next window.*\n  found:   S-\d{4}-B runs 17\.2, told 0 times;/);
  }, 120_000);
});

describe("rollward demo --embedded --act 4", () => {
  it("[C2] [C5] [C6] [F7] plays 20,000 Clients through six weeks: a faulty version stops itself at about 8 %, the fixed one goes on, as their own ledgers have it", async () => {
    const { code, text } = await perform(fourthAct());
    expect(code, text.slice(-3_000)).toBe(0);
    const chapters = text.split(/^== Act 4, /m).slice(1);
    expect(chapters).toHaveLength(5);
    expect(chapters[0]).toMatch(/✓ 20,000 Clients of 60 accounts are there, and run 5\.11\.0: \d{5} users;/);
    expect(chapters[2]).toMatch(/✓ it was stopped at about 8 % of the users: .*: \d+ of \d+ users, [678]\.\d %/);
    expect(chapters[3]).toMatch(/✓ 5\.12\.4 was offered first to computers that run 5\.12\.3, .*: \d{2,} offers in \d+ hours/);
    expect(chapters[4]).toMatch(
      /✓ each phase opened at the second .*phase 2: foreseen (\S+), opened \1; phase 3: foreseen (\S+), opened \2/,
    );
    expect(text.slice(text.indexOf("== What was shown")).match(/^ {2}week \d +[░▓█]{50} /gm)).toHaveLength(6);
  }, 240_000);

  it("[C5] a faulty version that is none makes it end with 1: nothing stops it", async () => {
    const { code, text } = await perform(fourthAct({ fates: () => ({ ends: "Runs" }), chapters: CLIENT_CHAPTERS.slice(0, 3) }));
    expect(code).toBe(1);
    expect(text).toMatch(/claimed: 5\.12\.3 paused itself by its failures, .*\n  found:   effective is Run/);
  }, 120_000);

  it("[C2] an account that calls all of its staff pilots makes it end with 1: the claim names their computers", async () => {
    const account = ACCOUNTS.find(({ policies }) => policies?.windows?.pilotGroup !== undefined)!;
    const allStaff = async (clients: ClientPlay): Promise<void> => {
      const { cluster, clock } = clients.stage;
      await clients.announce(faultyDraft(), "the version is announced");
      const patch = { op: "replace", path: "/spec/clients/windows/pilotGroup/groups", value: ["staff"] } as const;
      await clients.stage.perform(cluster.patch(ACCOUNT_POLICY, "account", account.name, [patch]));
      await clients.passTo(clock.now() + 2 * 86_400_000);
      await claimPilotsAlone(clients);
    };
    const chapters = [CLIENT_CHAPTERS[0]!, { title: "all staff are pilots", story: "", run: allStaff }];
    const { code, text } = await perform(fourthAct({ chapters }));
    expect(code).toBe(1);
    expect(text).toMatch(
      new RegExp(`claimed: for two weeks 5\\.12\\.3 was offered to pilots alone: .*\\n  found:   ${account.name}-pc-\\d+-\\d at 2026-11-0`),
    );
  }, 120_000);
});

/** A machine on which no control plane is to be had, and nothing else is asked for. */
const bareMachine = (): DemoPorts =>
  machineWith({
    startControlPlane: () => Promise.reject(new Error("No control plane is to be had.")),
    isUnavailable: (error) => (error as Error).message === "No control plane is to be had.",
  });

const command = (...args: string[]) => demoOn(bareMachine(), ...args);

describe("rollward demo without a control plane", () => {
  it("plays in memory, says so, and ends with 3", async () => {
    const { out, error, code } = await command("--act", "1");
    expect(error).toContain("No control plane is to be had.\nSo the demo plays in memory; it ends with 3");
    expect(out).toContain("== Act 1, 8 of 8");
    expect(code).toBe(3);
  }, 60_000);

  it("--real never falls back: it plays nothing and ends with 3", async () => {
    const { out, error, code } = await command("--real");
    expect(error).toContain("does not play in memory instead");
    expect([out, code]).toEqual(["", 3]);
  });

  it("--embedded asks for no control plane at all; with --real or --keep beside it the command line is at fault", async () => {
    expect(await command("--embedded", "--real")).toMatchObject({ out: "", code: 2 });
    expect(await command("--embedded", "--keep")).toMatchObject({ out: "", code: 2 });
  });

  it("the third act asks for no control plane and says so; with --real or --keep beside it the command line is at fault", async () => {
    const { out, code } = await command("--act", "3");
    expect(out).toContain("Act 3 plays in memory, whatever the other acts play on");
    expect(code).toBe(0);
    expect(await command("--act", "3", "--real")).toMatchObject({ out: "", code: 2 });
    expect(await command("--act", "3", "--keep")).toMatchObject({ out: "", code: 2 });
  }, 60_000);

  it("the fourth act with --real or --keep beside it: the command line is at fault", async () => {
    expect(await command("--act", "4", "--real")).toMatchObject({ out: "", code: 2 });
    expect(await command("--act", "4", "--keep")).toMatchObject({ out: "", code: 2 });
  });

  it("--act takes 1 to 4, and says so", async () => {
    await expect(command("--embedded", "--act", "5")).rejects.toThrow(/argument '5' is invalid\. Allowed choices are 1, 2, 3, 4/);
  });
});
