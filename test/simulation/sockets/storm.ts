import { seededRandom } from "../../../src/simulation/clock.ts";
import { planSites } from "../../../src/simulation/devices/device-fleet.ts";
import { type Outage, withOutages } from "../../../src/simulation/devices/outages.ts";
import { DAY, HOUR, MINUTE, SECOND, WEEK } from "./slots.ts";
import { SocketNights } from "./socket-nights.ts";

const ZONES = [
  "Europe/Berlin",
  "Asia/Tokyo",
  "America/New_York",
  "Pacific/Auckland",
  "Asia/Kathmandu",
  "America/Santiago",
  "Africa/Casablanca",
  "Australia/Lord_Howe",
];
const START = Date.parse("2026-11-23T10:00:00Z");
const WEEKS_OF_STORM = 2;
const BETWEEN = 3 * HOUR;

/** Sockets of every kind in eight zones, and for two weeks whatever may go wrong does; then all is well for three. */
export async function storm(seed: number): Promise<SocketNights> {
  const random = seededRandom(seed);
  const sites = planSites({
    sites: 16,
    zones: ZONES,
    accounts: ["acme", "globex"],
    mix: { flaky: 0.08, slow: 0.06, fails: 0.06, rollsBack: 0.06, liesSuccess: 0.06, lateStart: 0.06, prefetch: 0.2, offline: 0.04 },
    seed,
  });
  const nights = await SocketNights.begin({ start: new Date(START).toISOString(), sites });
  const { story } = nights;
  let outage: Outage = "None";
  const start = (name: string) =>
    nights.operator({ name, seed: Math.floor(random() * 1_000), inventory: (inventory) => withOutages(inventory, () => outage) });
  // Two that believe that they lead, for the whole of the storm.
  start("a");
  start("b");
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;
  const devices = [...story.devices.devices.values()];
  const { world } = story;
  let restore = world.inventory.backup();
  const trouble: readonly (() => void | Promise<void>)[] = [
    () => nights.operators.findLast(({ alive }) => alive)?.crash(),
    () => void start(`o${nights.operators.length}`),
    () => void (outage = pick(["Away", "AnswerLost", "None"])),
    () => void (world.sink.blocked = random() < 0.5),
    () => nights.pause(true),
    () => pick(devices).unplug(),
    () => pick(devices).unplug(),
    () => void (restore = world.inventory.backup()),
    () => restore(),
  ];
  const mend = async (): Promise<void> => {
    outage = "None";
    world.sink.blocked = false;
    await nights.pause(false);
    for (const device of devices) device.plug();
    if (nights.operators.filter(({ alive }) => alive).length === 0) start(`o${nights.operators.length}`);
  };
  for (let step = 0; nights.now < START + WEEKS_OF_STORM * WEEK; step += 1) {
    if (step % 40 === 0) await nights.announce(`18.${step / 40}`);
    // Most of what matters happens in the night from Saturday to Sunday, somewhere.
    const isNight = [6, 0].includes(new Date(nights.now).getUTCDay());
    if (random() < (isNight ? 0.5 : 0.15)) await pick(trouble)();
    if (random() < 0.3) await mend();
    await story.pass(isNight ? (20 + random() * 40) * MINUTE + random() * SECOND : BETWEEN);
  }
  await mend();
  for (const device of devices) device.behaviour = "ok";
  await nights.announce("19.0");
  await story.pass(3 * WEEK + DAY);
  return nights;
}
