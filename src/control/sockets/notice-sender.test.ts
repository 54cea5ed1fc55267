import { expect, it } from "vitest";
import type { Notice } from "../../core/socket/notice.ts";
import { VirtualClock } from "../../simulation/clock.ts";
import { MemoryInventory } from "../../simulation/devices/inventory.ts";
import { type Outage, withOutages } from "../../simulation/devices/outages.ts";
import { InventoryWatch } from "./inventory-watch.ts";
import { NoticeSender } from "./notice-sender.ts";

const START = Date.parse("2026-11-26T00:00:00Z");
const CHANNELS = [{ name: "operations", url: "https://hooks.acme.example/" }];

const notice = (id: string, account = "acme"): Notice => ({
  id,
  kind: "Planned",
  account,
  site: { namespace: account, name: "berlin", uid: "site-berlin" },
  zone: "Europe/Berlin",
  message: "berlin is upgraded",
});

type Answer = boolean | "Never" | "Broken" | Promise<boolean>;

function world(answer: () => Answer) {
  const clock = new VirtualClock(START);
  const memory = new MemoryInventory(() => clock.elapsed());
  const state = { outage: "None" as Outage, leads: true };
  const tries: { id: string; at: number }[] = [];
  const told: string[] = [];
  const wakes: { key: string; after: number | undefined }[] = [];
  const sender: NoticeSender = new NoticeSender({
    clock,
    random: () => 0,
    notices: {
      send: ({ id }) => {
        tries.push({ id, at: clock.elapsed() });
        const said = answer();
        if (said === "Broken") return Promise.reject(new Error("a defect"));
        return said === "Never" ? new Promise(() => {}) : Promise.resolve(said);
      },
      problem: (account) => `the receiver of ${account} answered 503`,
    },
    onNotTaken: ({ site }, problem) => void told.push(`${site.namespace}: ${problem}`),
    watch: new InventoryWatch({
      clock,
      inventory: withOutages(memory, () => state.outage),
      onBack: (keys) => keys.forEach((key) => look(key)),
    }),
    isLeader: () => state.leads,
    wake: (key, after) => {
      wakes.push({ key, after });
      if (after !== undefined) clock.after(after, () => look(key));
    },
  });
  const wanted = new Map<string, Notice>();
  /** As a look at the site does it: again and again while nobody took it. */
  const look = (_key: string): void => {
    for (const one of wanted.values()) void sender.send(`${one.account}/berlin`, one, CHANNELS);
  };
  const want = (one: Notice) => {
    wanted.set(one.id, one);
    return sender.send(`${one.account}/berlin`, one, CHANNELS);
  };
  const accepted = async () => (await memory.site({ uid: "site-berlin", account: "acme", serials: [] })).notices;
  return { clock, state, sender, told, tries, wakes, want, look, wanted, accepted };
}

it("[W3] a notice counts from when it was taken, and its site is looked at then", async () => {
  const { clock, want, wakes, accepted, tries } = world(() => true);
  await clock.advance(7_000);
  await want(notice("n1"));
  expect(await accepted()).toEqual(new Map([["n1", { acceptedAt: START + 7_000 }]]));
  expect(wakes).toEqual([{ key: "acme/berlin", after: undefined }]);
  expect(tries).toHaveLength(1);
});

it("what nobody takes is tried after 5 s, 10 s, 20 s …, at most every 5 minutes, however often the site is looked at", async () => {
  const { clock, want, look, tries } = world(() => false);
  await want(notice("n1"));
  for (let second = 0; second < 3_600; second += 1) {
    look("acme/berlin");
    await clock.advance(1_000);
  }
  const pauses = tries.slice(1).map(({ at }, nth) => Math.round((at - tries[nth]!.at) / 1_000));
  expect(pauses.slice(0, 7)).toEqual([5, 10, 20, 40, 80, 160, 300]);
  expect(Math.max(...pauses)).toBe(300);
});

it("what is not taken is told, of each account at most once a minute, until it is taken; another account hears of its own alone", async () => {
  let takes = false;
  const { clock, told, want } = world(() => takes);
  await want(notice("n1"));
  await want(notice("n2"));
  expect(told).toEqual(["acme: the receiver of acme answered 503"]);
  await want(notice("z1", "zeta"));
  expect(told.at(-1)).toBe("zeta: the receiver of zeta answered 503");
  await clock.advance(10 * 60_000);
  const ofAcme = told.filter((one) => one.startsWith("acme")).length;
  expect(ofAcme).toBeGreaterThan(2);
  expect(ofAcme).toBeLessThanOrEqual(11);
  takes = true;
  await clock.advance(10 * 60_000);
  told.length = 0;
  await clock.advance(60 * 60_000);
  expect(told).toEqual([]);
});

it("[I15] a hook that never answers is waited for one second once, and with four tries at a time; other accounts wait for nobody", async () => {
  const { clock, sender, want, tries } = world(() => "Never");
  const first = want(notice("n1"));
  await clock.advance(999);
  expect(sender.isDue(notice("n1"))).toBe(false);
  await clock.advance(2);
  await first;
  expect(sender.isWorthWaiting(notice("n2"))).toBe(false);
  for (const id of ["n2", "n3", "n4", "n5", "n6"]) await want(notice(id));
  expect(tries).toHaveLength(4);
  expect(sender.isWorthWaiting(notice("z1", "zeta"))).toBe(true);
  void want(notice("z1", "zeta"));
  await clock.advance(1);
  expect(tries.at(-1)!.id).toBe("z1");
});

it("[I9] taken while the inventory is away: recorded with the instant at which it was taken, and not sent again", async () => {
  const { clock, state, want, tries, accepted } = world(() => true);
  state.outage = "Away";
  await want(notice("n1"));
  await clock.advance(60_000);
  state.outage = "None";
  await clock.advance(10_000);
  expect(tries).toHaveLength(1);
  expect(await accepted()).toEqual(new Map([["n1", { acceptedAt: START }]]));
});

it("nothing is sent by who leads no more", async () => {
  const { state, want, tries } = world(() => true);
  state.leads = false;
  await want(notice("n1"));
  expect(tries).toEqual([]);
});

it("a site that was woken for something else is woken again when the next try is due; one that is gone is forgotten", async () => {
  const { clock, sender, want, wakes } = world(() => false);
  await want(notice("n1"));
  await clock.advance(2_000);
  sender.rested("acme/berlin");
  expect(wakes.at(-1)).toEqual({ key: "acme/berlin", after: 3_000 });
  const before = wakes.length;
  sender.forget("acme/berlin");
  sender.rested("acme/berlin");
  expect(wakes.length).toBe(before);
});

it("[W3] a try that ends with an error is tried again after its pause; an error that nobody waited for is told by the next try", async () => {
  let answer: Answer = "Broken";
  const { clock, sender, tries, wakes, accepted } = world(() => answer);
  const send = () => sender.send("acme/berlin", notice("n1"), CHANNELS);
  await expect(send()).rejects.toThrow("a defect");
  expect(wakes).toEqual([{ key: "acme/berlin", after: 5_000 }]);
  await clock.advance(5_000);
  answer = false;
  await send();
  await clock.advance(10_000);
  // Nobody waits for this one.
  answer = "Broken";
  await send();
  await clock.advance(20_000);
  await expect(send()).rejects.toThrow("a defect");
  answer = true;
  await clock.advance(40_000);
  await send();
  expect(tries.map(({ at }) => at)).toEqual([0, 5_000, 15_000, 35_000, 75_000]);
  expect((await accepted()).has("n1")).toBe(true);
});

it("[I15] notices of an account whose hook hangs wait in turn, four under way at a time", async () => {
  const ends: (() => void)[] = [];
  const { clock, sender, tries } = world(() => new Promise((resolve) => ends.push(() => resolve(false))));
  await Promise.all([sender.send("acme/berlin", notice("n0"), CHANNELS), clock.advance(1_001)]);
  for (let nth = 1; nth < 200; nth++) await sender.send("acme/berlin", notice(`n${nth}`), CHANNELS);
  expect(tries.map(({ id }) => id)).toEqual(["n0", "n1", "n2", "n3"]);
  for (const end of ends.splice(0)) end();
  await clock.advance(1);
  expect(tries.slice(4).map(({ id }) => id)).toEqual(["n4", "n5", "n6", "n7"]);
  sender.stop();
});
