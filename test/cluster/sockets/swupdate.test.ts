import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it, type TestContext } from "vitest";
import { END, START } from "../../../src/gateway/gateway.examples.ts";
import { buildImage, signerIn } from "../../../tools/swupdate/image.ts";
import { ensureSwupdate, SwupdateUnavailable } from "../../../tools/swupdate/install.ts";
import { skipping } from "./skipping-proxy.ts";
import { IMAGE, type Software, SwupdateWorld } from "./swupdate-world.ts";

/** However busy the machine is: a limit on the test, not a claim. */
const PATIENCE = { timeout: 60_000, interval: 20 };

// At the same time: each has a gateway and devices of its own, and what they wait for are polls.
describe.concurrent("Debian's swupdate as Sockets", () => {
  let software: Software | undefined;
  let missing = "";
  let folder = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rollward-images-"));
    try {
      const swupdate = await ensureSwupdate();
      const image = await buildImage(folder, "18.3.3");
      writeFileSync(join(folder, IMAGE), image);
      software = { swupdate, folder, signer: signerIn(folder), image };
    } catch (error) {
      if (!(error instanceof SwupdateUnavailable)) throw error;
      missing = error.message;
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const opened = async (context: TestContext): Promise<SwupdateWorld> => {
    if (software === undefined) return context.skip(missing);
    const world = await SwupdateWorld.open(software);
    context.onTestFinished(() => world.stop());
    return world;
  };

  it("[S13] [S1] ten polls before the window bring nothing; killed in mid-install it goes back and says so; again it is upgraded", async (context) => {
    const { expect } = context;
    const world = await opened(context);
    const { clock, checkins } = world.gateway;
    const [standby, active] = [await world.device("S-2002"), await world.device("S-2001")];
    clock.calendar = START - 1;
    const first = await world.command("S-2002", 1);
    await Promise.all([standby.boot(), active.boot()]);
    await expect.poll(() => checkins.length, PATIENCE).toBeGreaterThanOrEqual(20);
    expect(new Set(checkins)).toEqual(new Set(["ConfigData", "Nothing"]));
    expect([await world.reports("S-2002"), await world.reports("S-2001"), (await world.known(first))?.state]).toEqual([
      "17.2",
      "17.2",
      "Open",
    ]);

    standby.set("hold", true);
    clock.calendar = START;
    await expect.poll(() => standby.ledger, PATIENCE).toEqual(["begins 18.3.3"]);
    expect(await world.known(first)).toMatchObject({ state: "Proceeding", givenAt: START, proceedingAt: START });
    clock.calendar = END + 60_000;
    await standby.cutPower();
    standby.set("hold", false);
    await standby.boot("failure");
    await expect.poll(async () => (await world.known(first))?.state, PATIENCE).toBe("Failed");
    expect(await world.known(first)).toMatchObject({ endedAt: END + 60_000, said: "Update Failed." });
    expect(standby.version).toBe("17.2");

    clock.calendar = START;
    const second = await world.command("S-2002", 2);
    await standby.rebootWhenInstalled();
    await expect.poll(() => world.reports("S-2002"), PATIENCE).toBe("18.3.3");
    await expect.poll(async () => (await world.known(second))?.state, PATIENCE).toBe("Succeeded");
    expect(standby.ledger).toEqual(["begins 18.3.3", "begins 18.3.3", "installed 18.3.3"]);
    expect(active.ledger, "its partner was told nothing").toEqual([]);
  });

  it("an installation that fails is told at once, and the Socket goes on with what it runs", async (context) => {
    const { expect } = context;
    const world = await opened(context);
    const socket = await world.device("S-2002");
    socket.set("broken", true);
    const row = await world.command("S-2002", 1);
    await socket.boot();
    await expect.poll(async () => (await world.known(row))?.state, PATIENCE).toBe("Failed");
    expect([socket.ledger, socket.version]).toEqual([["begins 18.3.3"], "17.2"]);
  });

  it("[S12] told to skip, it answers success and has installed nothing: the row says Succeeded, and the Socket says 17.2", async (context) => {
    const { expect } = context;
    const world = await opened(context);
    const proxy = await skipping(world.gateway.port);
    context.onTestFinished(() => proxy.close());
    const socket = await world.device("S-2002", { port: proxy.port });
    const row = await world.command("S-2002", 1);
    await socket.boot();
    await expect.poll(async () => (await world.known(row))?.state, PATIENCE).toBe("Succeeded");
    expect(await world.known(row)).toMatchObject({ said: "Skipped Update." });
    const polls = world.gateway.checkins.length;
    await expect.poll(() => world.gateway.checkins.length, PATIENCE).toBeGreaterThan(polls + 2);
    expect([await world.reports("S-2002"), socket.ledger]).toEqual(["17.2", []]);
  });

  it("[S13] one that claims to fetch ahead and answers success to what it was only shown changes nothing; at its start it installs", async (context) => {
    const { expect } = context;
    const world = await opened(context);
    const { clock, checkins } = world.gateway;
    clock.calendar = START - 1;
    const socket = await world.device("S-2002", { attributes: { prefetch: "true" } });
    const row = await world.command("S-2002", 1);
    await socket.boot();
    await expect.poll(() => checkins.filter((answer) => answer === "Deployment").length, PATIENCE).toBeGreaterThanOrEqual(2);
    expect([(await world.known(row))?.state, socket.ledger]).toEqual(["Open", []]);
    clock.calendar = START;
    await socket.rebootWhenInstalled();
    await expect.poll(async () => (await world.known(row))?.state, PATIENCE).toBe("Succeeded");
    expect(socket.ledger).toEqual(["begins 18.3.3", "installed 18.3.3"]);
  });

  it("[S14] withdrawn at last start it is offered nothing more; a cancel it confirms", async (context) => {
    const { expect } = context;
    const world = await opened(context);
    const { clock, checkins, views, inventory } = world.gateway;
    const socket = await world.device("S-2002");
    views.fresh = false;
    const row = await world.command("S-2002", 1);
    await socket.boot();
    await expect.poll(() => checkins.includes("Nothing"), PATIENCE).toBe(true);
    clock.calendar = END + 1;
    expect(await inventory.act(row.id, "withdraw", END + 1)).toBe(true);
    views.fresh = true;

    clock.calendar = START;
    const second = await world.command("S-2002", 2);
    // Given by the statement while the answer was lost: the device has it for all that is known.
    await inventory.give({ account: "acme", serial: "S-2002", action: second.action }, START);
    await inventory.requestCancel(second.id, START);
    await expect.poll(async () => (await world.known(second))?.state, PATIENCE).toBe("Withdrawn");
    expect([socket.ledger, socket.version]).toEqual([[], "17.2"]);
  });
});
