import { describe, expect, it } from "vitest";
import { ApiError } from "../../../src/control/ports.ts";
import { planned } from "../../scenarios/socket-story.ts";
import type { Effect, Mishap } from "../effect.ts";
import { SocketNights } from "./socket-nights.ts";

const PAIR = planned("berlin", "Europe/Berlin", ["S-2001", "S-2002"]);

const WAYS: Readonly<Record<string, Mishap>> = {
  "dies before it": { crash: "before" },
  "dies when it is done": { crash: "after" },
  "hears a time-out although it is done": { error: new ApiError(0, "Timeout", "no answer within the deadline"), commits: true },
};

/** Quick: every third effect for each way, so that all three together meet each of them; ROLLWARD_SOCKET_CRASHES=all meets all. */
const EVERY = process.env["ROLLWARD_SOCKET_CRASHES"] === "all" ? 1 : 3;

/** A pair through its night; whoever dies is replaced a few seconds later. */
async function night(mishap?: (effect: Effect) => Mishap | undefined): Promise<SocketNights> {
  const nights = await SocketNights.begin({ start: "2026-11-26T10:00:00Z", sites: [PAIR] });
  nights.operator({ name: "first", ...(mishap ? { mishap } : {}) });
  nights.replaceTheDead();
  await nights.announce("18.0");
  await nights.untilDate("2026-11-29T03:00:00Z");
  return nights;
}

/** What may not differ from an undisturbed night. */
const endOf = (nights: SocketNights): object => {
  const { upgrade, ha, sockets } = nights.story.read("acme/berlin").status!;
  const versions = nights.story.versions();
  const told = nights.story.devices
    .ledgers()
    .map(({ serial, entries }) => [serial, entries.map(({ version, outcome }) => `${version} ${outcome}`)]);
  const notices = [...nights.story.world.sink.received.values()].map(({ kind, version }) => `${kind} ${version ?? ""}`);
  return {
    versions,
    told,
    notices,
    step: upgrade?.step,
    story: ha?.story,
    attempts: sockets?.map(({ lastAttempt }) => lastAttempt?.outcome),
  };
};

describe("[I4] [I8] [I9] a pair through its night ends as if undisturbed, nobody told too early, twice or with the other one", () => {
  it.each(Object.entries(WAYS).map(([way, mishap], offset) => [way, mishap, offset] as const))(
    "when the operator, at an effect of its own on status, inventory or channel, %s",
    { timeout: 300_000 },
    async (way, mishap, offset) => {
      const undisturbed = await night();
      const expected = endOf(undisturbed);
      expect([...undisturbed.breaches(), ...undisturbed.starved("18.0")]).toEqual([]);
      const { effects } = undisturbed.operators[0]!;
      expect(effects.length).toBeGreaterThan(30);
      const failures: string[] = [];
      for (const { index, name, detail } of effects.filter((_, nth) => (nth + offset) % EVERY === 0)) {
        const nights = await night((effect) => (effect.index === index ? mishap : undefined));
        const problems = [...nights.breaches(), ...nights.starved("18.0")];
        const end = endOf(nights);
        if (JSON.stringify(end) !== JSON.stringify(expected)) problems.push(`it ended ${JSON.stringify(end)}`);
        if (problems.length > 0) failures.push(`effect ${index} (${name} ${detail.slice(0, 80)}) ${way}: ${problems.join("; ")}`);
      }
      expect(failures.slice(0, 3).join("\n\n"), `${failures.length} failures`).toBe("");
    },
  );
});
