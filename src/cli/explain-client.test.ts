import { beforeEach, describe, expect, it } from "vitest";
import { CLIENT_ROLLOUT } from "../api/client-rollout.ts";
import { ApiError } from "../control/ports.ts";
import { MemoryClientInventory } from "../simulation/clients/inventory.ts";
import { NAMESPACE } from "./accounts.ts";
import { Terminal } from "./cli.examples.ts";
import { givenPolicy, givenRollout, NOW, reads } from "./client-commands.examples.ts";
import { registerExplain } from "./explain.ts";

const clients = new MemoryClientInventory(() => 0);
let terminal: Terminal;

beforeEach(() => {
  const open = (url: string) =>
    url === "sqlite:x"
      ? Promise.resolve({ clients, close: () => Promise.resolve() })
      : Promise.reject(new Error(`${url} cannot be opened`));
  terminal = new Terminal({ now: NOW, commands: (program, io) => registerExplain(program, io, open) });
});

async function says(...words: readonly string[]): Promise<readonly [number | undefined, string]> {
  await terminal.run(words);
  return [terminal.code, terminal.printed + terminal.complaint];
}

describe("explain", () => {
  it("a rollout of Clients, and one Client by the inventory, the directory's word before its own", async () => {
    await givenRollout(terminal);
    await givenPolicy(terminal, { windows: { upgrade: "Automatic", pilotGroup: { groups: ["it"] } } });
    await clients.record([{ account: "acme", device: "d-1", at: NOW, os: "Windows", version: "5.11.0", user: "somebody", offered: false }]);
    await clients.importDirectory("acme", [{ user: "anna", groups: ["it"], devices: ["d-1"] }]);
    const draft = { apiVersion: "v1", kind: "Namespace", metadata: { name: "acme", labels: { "rollward.dev/account": "acme" } } };
    await terminal.cluster.create(NAMESPACE, draft);
    expect((await says("explain", "cliro/windows-5-12-3"))[1]).toContain("Phase 2 opens 2026-11-26T09:00:00Z, if nothing fails.");
    const [code, text] = await says("explain", "client", "acme/d-1", "--inventory", "sqlite:x", "--zone", "Asia/Tokyo");
    expect(code).toBe(0);
    expect(text).toContain("Client acme/d-1 (Windows) runs 5.11.0; its next check-in is offered 5.12.3");
    expect(text).toContain("last heard of Tuesday 2026-11-24 21:00 Asia/Tokyo (2026-11-24T12:00:00Z)");
    expect(text).toContain("Its user is anna, in it.");
    // [C7] What gateways told of their folders counts as it counts for the device.
    const { uid } = (await terminal.cluster.get(CLIENT_ROLLOUT, "windows-5-12-3", "fleet"))!.metadata;
    const beat = { name: "gateway-1", pauses: new Map(), policies: new Map() };
    await clients.beat({ ...beat, missing: new Map([[uid, "put the file there"]]) });
    const held = await says("explain", "client/acme/d-1", "--inventory", "sqlite:x");
    expect(held).toEqual([0, expect.stringContaining("nothing is offered to it (ArtifactMissing)")]);
    await clients.beat(beat);
    await clients.record([{ account: "nobody", device: "d-1", at: NOW, os: "Windows", offered: false }]);
    expect((await says("explain", "client", "nobody/d-1", "--inventory", "sqlite:x"))[1]).toContain(
      "No namespace is labelled rollward.dev/account=nobody",
    );
    expect((await says("explain", "client", "acme/d-1"))[1]).toContain("Write --inventory with the URL that the operator has");
  });

  it("[I15] a Client of whoever may read the namespace of the account alone: what its AccountPolicy tells, and that it is this", async () => {
    const { metadata } = await givenRollout(terminal);
    const held = { by: "Pause", since: "2026-11-24T00:00:00Z", generation: 1 };
    const paused = reads(metadata.uid, { effective: "Paused", reasons: ["the account paused 5.12.3: audit"], held, inPhase: false });
    const other = reads("u-2", { rollout: "linux-5-12-3", os: "Linux" });
    await givenPolicy(
      terminal,
      { windows: { upgrade: "Automatic", pause: { version: "5.12.3", reason: "audit", until: "2026-12-20T00:00:00Z" } } },
      { account: "acme", clients: [paused, other] },
    );
    const asked: string[] = [];
    terminal.fault = ({ verb, kind, namespace }) => {
      asked.push(`${verb} ${kind} ${namespace ?? "everywhere"}`);
      return namespace === "acme" ? undefined : { error: new ApiError(403, "Forbidden", "not yours") };
    };
    const [code, text] = await says("explain", "client", "acme/d-1");
    expect([code, asked]).toEqual([0, ["list ClientRollout fleet", "get AccountPolicy acme"]]);
    expect(text).toContain("Client acme/d-1: what AccountPolicy acme/account tells of its account\n");
    expect(text).toContain("This is the account's view\n");
    expect(text).toContain("Windows: Automatic, macOS: Managed, Linux: Managed.");
    expect(text).toContain(
      "Windows 5.12.3 by ClientRollout windows-5-12-3: stage phase-1 is open, no phase has reached the account yet; " +
        "the next phase opens Thursday 2026-11-26 09:00 UTC",
    );
    expect(text).toMatch(
      /Why not yet\n {2}5\.12\.3 is Paused: the account paused 5\.12\.3: audit\. The account's own pause ends Sunday 2026-12-20 00:00 UTC/,
    );
    expect(text).toContain("linux-5-12-3: stage phase-1 is open, a phase has reached the account;");
    await clients.record([{ account: "acme", device: "d-1", at: NOW, os: "Windows", version: "5.11.0", offered: false }]);
    const known = (await says("explain", "client", "acme/d-1", "--inventory", "sqlite:x"))[1];
    expect(known).toContain("It reports 5.11.0, on Windows.");
    expect(known).not.toContain("linux");
    expect(await says("explain", "client", "globex/d-1")).toEqual([
      1,
      "the API server refuses (not yours); ask for that right, or, as a customer, for what your own namespace tells: rollward status --account NAME\n",
    ]);
    expect(await says("explain", "client", "acne/d-1")).toEqual([1, expect.stringContaining("as a customer")]);
  });

  it.each([
    [["explain", "client"], 2, '"" names no Client; write ACCOUNT/DEVICE'],
    [["explain", "client", "d-1"], 2, '"d-1" names no Client'],
    [
      ["explain", "client", "acme/d-9", "--inventory", "sqlite:x"],
      4,
      "no Client d-9 of account acme has been heard of; rollward users --account acme --names",
    ],
    [
      ["explain", "client", "acne/d-1", "--inventory", "sqlite:x"],
      4,
      "no Client d-1 of account acne has been heard of; the inventory has no Client and no directory of an account acne; did you mean acme?",
    ],
    [["explain", "client", "acme/d-1", "--zone", "Mars"], 2, "--zone: "],
    [["explain", "client", "acme/d-1", "--inventory", "sqlite:y"], 2, "sqlite:y cannot be opened"],
    [["explain", "pop/fra1", "acme/d-1"], 2, '"acme/d-1" after pop/fra1 names nothing'],
  ])("%j ends with %d and a sentence", async (words, code, sentence) => {
    expect(await says(...words)).toEqual([code, expect.stringContaining(sentence)]);
  });
});
