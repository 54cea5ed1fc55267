import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { commandRow } from "../../../src/core/socket/command.examples.ts";
import type { CommandRow } from "../../../src/core/socket/command.ts";
import { END, GatewayWorld, START } from "../../../src/gateway/gateway.examples.ts";
import { Servers } from "../../../tools/control-plane/servers.ts";
import { SwupdateDevice } from "../../../tools/swupdate/device.ts";
import { buildImage } from "../../../tools/swupdate/image.ts";
import { ensureSwupdate, type Swupdate } from "../../../tools/swupdate/install.ts";
import { skipping } from "./skipping-proxy.ts";

/** However busy the machine is: a limit on the test, not a claim. */
const PATIENCE = { timeout: 20_000, interval: 20 };
const IMAGE = "socket-18.3.3.swu";

describe("Debian's swupdate as a pair of Sockets", () => {
  let servers: Servers | undefined;
  let swupdate: Swupdate;
  let folder = "";
  let image: Buffer;
  let missing = "";
  let world: GatewayWorld;

  beforeAll(async () => {
    try {
      swupdate = await ensureSwupdate();
      servers = await Servers.open();
      image = await buildImage(servers.folder, "18.3.3");
      folder = mkdtempSync(join(tmpdir(), "artifacts-"));
      writeFileSync(join(folder, IMAGE), image);
    } catch (error) {
      missing = error instanceof Error && error.name === "SwupdateUnavailable" ? error.message : "";
      if (missing === "") throw error;
    }
  });
  afterAll(async () => {
    await servers?.stop();
    if (folder !== "") rmSync(folder, { recursive: true });
  });
  afterEach(() => world?.stop());

  /** A gateway whose devices poll every second; its inventory ages with the machine. */
  const opened = async (context: TestContext): Promise<GatewayWorld> => {
    if (missing !== "") return context.skip(missing);
    world = await new GatewayWorld({ url: IMAGE, content: image }, () => performance.now()).start({
      artifacts: folder,
      hints: { ordinary: 1_000, near: 1_000 },
    });
    return world;
  };
  const device = async (serial: string, more: { readonly url?: string; readonly attributes?: Record<string, string> } = {}) =>
    new SwupdateDevice({
      servers: servers!,
      swupdate,
      url: `http://127.0.0.1:${world.port}`,
      account: "acme",
      serial,
      token: await world.enroll(serial, "acme"),
      version: "17.2",
      ...more,
    });
  /** The operator's part: the claim in status, then the row. */
  const command = async (serial: string, attempt: number): Promise<CommandRow> => {
    const id = `site-berlin.1.${serial}.${attempt}`;
    const row = commandRow({ id, action: 1_000 + attempt, serial, notBefore: START, notAfter: END });
    world.views.view = world.viewNaming(id);
    expect(await world.inventory.insertCommand(row)).toBe(true);
    return row;
  };
  const known = async ({ id, serial, site }: CommandRow) =>
    (await world.inventory.site({ uid: site.uid, account: "acme", serials: [serial], named: id })).commands.get(id);
  const reports = async (serial: string) =>
    (await world.inventory.site({ uid: "site-berlin", account: "acme", serials: [serial] })).devices.get(serial)?.version;

  it("[S13] [S1] ten polls before the window bring nothing; killed in mid-install it goes back and says so; again it is upgraded", async (context) => {
    await opened(context);
    const [standby, active] = [await device("S-2002"), await device("S-2001")];
    world.clock.calendar = START - 1;
    const first = await command("S-2002", 1);
    await Promise.all([standby.boot(), active.boot()]);
    await expect.poll(() => world.checkins.length, PATIENCE).toBeGreaterThanOrEqual(20);
    expect(new Set(world.checkins)).toEqual(new Set(["ConfigData", "Nothing"]));
    expect([await reports("S-2002"), await reports("S-2001"), (await known(first))?.state]).toEqual(["17.2", "17.2", "Open"]);

    standby.set("hold", true);
    world.clock.calendar = START;
    await expect.poll(() => standby.ledger, PATIENCE).toEqual(["begins 18.3.3"]);
    expect(await known(first)).toMatchObject({ state: "Proceeding", givenAt: START, proceedingAt: START });
    world.clock.calendar = END + 60_000;
    await standby.cutPower();
    standby.set("hold", false);
    await standby.boot("failure");
    await expect.poll(async () => (await known(first))?.state, PATIENCE).toBe("Failed");
    expect([await known(first), standby.version]).toEqual([
      expect.objectContaining({ endedAt: END + 60_000, said: "Update Failed." }),
      "17.2",
    ]);

    world.clock.calendar = START;
    const second = await command("S-2002", 2);
    await standby.rebootWhenInstalled();
    await expect.poll(() => reports("S-2002"), PATIENCE).toBe("18.3.3");
    await expect.poll(async () => (await known(second))?.state, PATIENCE).toBe("Succeeded");
    expect(standby.ledger).toEqual(["begins 18.3.3", "begins 18.3.3", "installed 18.3.3"]);
    expect(active.ledger, "its partner was told nothing").toEqual([]);
  });

  it("[S12] told to skip, it answers success and has installed nothing: the row says Succeeded, and the Socket says 17.2", async (context) => {
    await opened(context);
    const proxy = await skipping(world.port);
    const socket = await device("S-2002", { url: `http://127.0.0.1:${proxy.port}` });
    const row = await command("S-2002", 1);
    await socket.boot();
    await expect.poll(async () => (await known(row))?.state, PATIENCE).toBe("Succeeded");
    expect(await known(row)).toMatchObject({ said: "Skipped Update." });
    const polls = world.checkins.length;
    await expect.poll(() => world.checkins.length, PATIENCE).toBeGreaterThan(polls + 2);
    expect([await reports("S-2002"), socket.ledger]).toEqual(["17.2", []]);
    await proxy.close();
  });

  it("[S13] one that claims to fetch ahead and answers success to what it was only shown changes nothing; at its start it installs", async (context) => {
    await opened(context);
    world.clock.calendar = START - 1;
    const socket = await device("S-2002", { attributes: { prefetch: "true" } });
    const row = await command("S-2002", 1);
    await socket.boot();
    await expect.poll(() => world.checkins.filter((answer) => answer === "Deployment").length, PATIENCE).toBeGreaterThanOrEqual(2);
    expect([(await known(row))?.state, socket.ledger]).toEqual(["Open", []]);
    world.clock.calendar = START;
    await socket.rebootWhenInstalled();
    await expect.poll(async () => (await known(row))?.state, PATIENCE).toBe("Succeeded");
    expect(socket.ledger).toEqual(["begins 18.3.3", "installed 18.3.3"]);
  });

  it("[S14] withdrawn at last start it is offered nothing more; a cancel it confirms", async (context) => {
    await opened(context);
    const socket = await device("S-2002");
    world.views.fresh = false;
    const row = await command("S-2002", 1);
    await socket.boot();
    await expect.poll(() => world.checkins.includes("Nothing"), PATIENCE).toBe(true);
    world.clock.calendar = END + 1;
    expect(await world.inventory.act(row.id, "withdraw", END + 1)).toBe(true);
    world.views.fresh = true;

    world.clock.calendar = START;
    const second = await command("S-2002", 2);
    // Given by the statement while the answer was lost: the device has it for all that is known.
    await world.inventory.give({ account: "acme", serial: "S-2002", action: second.action }, START);
    await world.inventory.requestCancel(second.id);
    await expect.poll(async () => (await known(second))?.state, PATIENCE).toBe("Withdrawn");
    expect([socket.ledger, socket.version]).toEqual([[], "17.2"]);
  });
});
