import { afterEach, describe, expect, it, vi } from "vitest";
import { RealClock } from "../../../src/control/clock/real-clock.ts";
import { GatewayWorld } from "../../../src/gateway/gateway.examples.ts";
import { Agenda } from "../../../src/simulation/devices/agenda.ts";
import type { Behaviour } from "../../../src/simulation/devices/behaviour.ts";
import { Device } from "../../../src/simulation/devices/device.ts";
import { WireGateway } from "../../../src/simulation/devices/wire.ts";

const clock = new RealClock();
let world: GatewayWorld;
let agenda: Agenda;

/** A Socket that speaks to a real gateway on loopback; a second is the shortest pause that the protocol knows. */
async function device(behaviour: Behaviour, token?: string): Promise<Device> {
  world = await new GatewayWorld(undefined, () => clock.elapsed()).start({ hints: { ordinary: 1_000, near: 1_000 } });
  agenda = new Agenda({ clock, slotMilliseconds: 10 });
  const gateway = new WireGateway({
    origin: `http://127.0.0.1:${world.port}`,
    account: "acme",
    serial: "S-2002",
    token: { kind: "TargetToken", value: token ?? world.token },
  });
  const times = { download: 30, install: 60 };
  const one = new Device({ account: "acme", serial: "S-2002", model: "X1600", version: "17.2", clock, agenda, gateway, behaviour, times });
  one.start(10);
  return one;
}

afterEach(async () => {
  agenda.stop();
  await world.stop();
});

const waits = { timeout: 20_000, interval: 50 };

describe("a Socket of the simulation over the wire", () => {
  it("[S1] [S12] reports, is told when its row stands, installs, and says what it runs before it says how it went", async () => {
    const socket = await device("ok");
    await vi.waitFor(() => expect(socket.ledger.polls).toBeGreaterThan(1), waits);
    expect(socket.ledger.entries).toEqual([]);
    expect(await world.inventory.insertCommand(world.row)).toBe(true);
    await vi.waitFor(() => expect(socket.ledger.entries[0]?.outcome).toBe("Installed"), waits);
    expect(socket.version).toBe("18.3.3");
    await vi.waitFor(async () => expect((await world.command())?.state).toBe("Succeeded"), waits);
    const [reported] = await world.inventory.devices(undefined, 1);
    expect(reported).toMatchObject({ version: "18.3.3", model: "X1600" });
    expect(world.checkins).toContain("Deployment");
  });

  it("[S5] one that finds the artifact bad says so, and runs what it ran", async () => {
    const socket = await device("fails");
    expect(await world.inventory.insertCommand(world.row)).toBe(true);
    await vi.waitFor(async () => expect((await world.command())?.state).toBe("Failed"), waits);
    expect(socket.ledger.entries).toMatchObject([{ outcome: "Failed", versionAfter: "17.2" }]);
  });

  it("[I15] one with a token of its own making hears nothing, and keeps its pace", async () => {
    const socket = await device("ok", "a token that nobody gave it");
    await vi.waitFor(() => expect(world.checkins).toContain("Unauthorized"), waits);
    expect(socket.ledger.entries).toEqual([]);
    expect(socket.ledger.polls).toBe(1);
  });
});
