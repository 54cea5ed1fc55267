import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { ACTS } from "../../src/cli/demo/acts.ts";
import { BERLIN, POPS, TOKYO, VERSIONS, type Versions } from "../../src/cli/demo/cast.ts";
import { registerDemo } from "../../src/cli/demo/demo.ts";
import { EmbeddedStage } from "../../src/cli/demo/embedded-stage.ts";
import { PlainNarrator } from "../../src/cli/demo/plain-narrator.ts";
import type { DemoPorts } from "../../src/cli/demo/ports.ts";
import { runPlay } from "../../src/cli/demo/run-play.ts";

interface Played {
  readonly code: number;
  readonly text: string;
}

async function play({ versions = VERSIONS, acts = ACTS }: { versions?: Versions; acts?: typeof ACTS }): Promise<Played> {
  let text = "";
  const out = (more: string) => void (text += more);
  const stage = await EmbeddedStage.open(new AbortController().signal);
  try {
    const code = await runPlay({ stage, narrator: new PlainNarrator(out), out, versions, acts });
    return { code, text };
  } finally {
    await stage.close();
  }
}

const upTo = (title: RegExp) => ACTS.slice(0, ACTS.findIndex((act) => title.test(act.title)) + 1);

describe("rollward demo --embedded", () => {
  it("plays all eight acts and ends with 0: both PoPs run the fixed version, and each of the four bad ones was taken back", async () => {
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
    const { code, text } = await play({ versions: { ...VERSIONS, good: "1.1.0-crash-loop" }, acts: upTo(/good version rolls/) });
    expect(code).toBe(1);
    expect(text).toContain("claimed: 1.1.0-crash-loop rolls through Tokyo\n  found:   TakenBack");
  }, 60_000);

  it("a bad version that is none makes it end with 1: nothing is found that would take it back", async () => {
    const { code, text } = await play({ versions: { ...VERSIONS, cannotBePulled: "1.2.0" }, acts: upTo(/cannot be pulled/) });
    expect(code).toBe(1);
    expect(text).toContain(
      "claimed: 1.2.0 is taken back by itself, for the right reason\n  found:   status.history has 1.0.0 Promoted, 1.1.0 Promoted",
    );
  }, 60_000);

  it("a status that says what the nodes do not show makes it end with 1: the claim reads the pods and not the status", async () => {
    const acts = upTo(/first version joins/).map((act) => ({
      ...act,
      run: async (stage: Parameters<typeof act.run>[0]) => {
        await act.run(stage);
        await stage.stage.perform(stage.stage.nodes.kill(`${TOKYO.name}-n2`));
        await stage.until("the node to be given up", () =>
          stage.chronicle.pods().some((pod) => pod.node === `${TOKYO.name}-n2` && !pod.ready),
        );
        expect((await stage.read(TOKYO)).status?.nodes?.map(({ step }) => step)).toEqual(["Done", "Done", "Done", "Done"]);
        await stage.claimServes(BERLIN, VERSIONS.first);
        await stage.claimServes(TOKYO, VERSIONS.first);
      },
    }));
    const { code, text } = await play({ acts });
    expect(code).toBe(1);
    expect(text).toContain(
      `claimed: all 4 nodes of Tokyo run ${VERSIONS.first}\n  found:   tyo1-n1 1.0.0, tyo1-n2 serves nothing (NotReady)`,
    );
  }, 60_000);
});

/** A machine on which no control plane is to be had, and nothing else is asked for. */
const bareMachine = (): DemoPorts => {
  const nothing = (): never => {
    throw new Error("without a control plane nobody may be asked for this");
  };
  return {
    startControlPlane: () => Promise.reject(new Error("No control plane is to be had.")),
    isUnavailable: (error) => (error as Error).message === "No control plane is to be had.",
    startOperator: nothing,
    connect: nothing,
    createClock: nothing,
    makeFolder: nothing,
    terminalSize: nothing,
    interruption: () => new AbortController().signal,
  };
};

async function command(...args: string[]) {
  const said = { out: "", error: "", code: -1 };
  const program = new Command().exitOverride();
  const io = {
    out: (text: string) => void (said.out += text),
    error: (text: string) => void (said.error += text),
    isTerminal: false,
    connect: () => Promise.reject(new Error("the demo asks its own ports")),
    now: () => 0,
    readFile: () => Promise.reject(new Error("the demo reads no file")),
    exit: (code: number) => void (said.code = code),
  };
  registerDemo(program, io, () => Promise.resolve(bareMachine()));
  await program.parseAsync(["demo", ...args], { from: "user" });
  return said;
}

describe("rollward demo without a control plane", () => {
  it("plays in memory, says so, and ends with 3", async () => {
    const { out, error, code } = await command();
    expect(error).toContain("No control plane is to be had.\nSo the demo plays in memory; it ends with 3");
    expect(out).toContain("== Act 8 of 8");
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
});
