import { describe, expect, it } from "vitest";
import { ApiError } from "../../../src/control/ports.ts";
import { ClientStory, DAY, HOUR, MINUTE, phase } from "../../scenarios/client-story.ts";
import type { Effect, Mishap } from "../effect.ts";
import { FaultyOperator } from "../faulty-operator.ts";

const AUTOMATIC = { windows: { upgrade: "Automatic", pilotGroup: { groups: ["it"] } } };
const ACCOUNTS = [
  { name: "acme", policies: AUTOMATIC, clients: 9, pilots: 3 },
  { name: "emporio", policies: { windows: { upgrade: "Automatic" } }, clients: 6 },
];

const WAYS: Readonly<Record<string, Mishap>> = {
  "dies before it": { crash: "before" },
  "dies when it is done": { crash: "after" },
  "hears a time-out although it is done": { error: new ApiError(0, "Timeout", "no answer within the deadline"), commits: true },
};

/** Quick: every third effect for each way, so that all three together meet each of them; ROLLWARD_CLIENT_CRASHES=all meets all. */
const EVERY = process.env["ROLLWARD_CLIENT_CRASHES"] === "all" ? 1 : 3;

interface Run {
  readonly story: ClientStory;
  readonly first: FaultyOperator;
  readonly end: object;
}

/** A version from its announcement until it stands; whoever dies is replaced twenty seconds later. */
async function weeks(mishap?: (effect: Effect) => Mishap | undefined): Promise<Run> {
  const story = await ClientStory.begin({ accounts: ACCOUNTS, operator: false });
  const { world } = story;
  const start = (name: string, given: { mishap?: (effect: Effect) => Mishap | undefined } = {}): FaultyOperator =>
    new FaultyOperator(world, { name, clients: { inventory: world.clients, countedEvery: 30 * MINUTE }, ...given });
  const first = start("first", mishap === undefined ? {} : { mishap });
  let second: FaultyOperator | undefined;
  const replace = (): void => {
    if (!first.alive) second ??= start("second");
    world.clock.after(20_000, replace);
  };
  replace();
  const name = await story.rollout("5.12.3", { phases: [phase(100, 50, 24), phase(100, 100, 24)] });
  await story.until("the end", () => story.status(name).standingSince !== undefined, 25 * DAY);
  await story.pass(2 * HOUR);
  const { stages = [], numbers } = story.status(name);
  return {
    story,
    first,
    end: {
      versions: story.versions(),
      numbers,
      stages: stages.map((stage) => [stage.name, stage.outcome, stage.numbers?.eligible, stage.numbers?.confirmed]),
      offers: story.offers("5.12.3"),
      told: ACCOUNTS.map((account) => story.view(account.name, name)?.numbers),
    },
  };
}

describe("[I8] a version on its way through Clients ends as if undisturbed, and nobody is offered it twice", () => {
  it.each(Object.entries(WAYS).map(([way, mishap], offset) => [way, mishap, offset] as const))(
    "when the operator, at an effect of its own on status or inventory, %s",
    { timeout: 300_000 },
    async (way, mishap, offset) => {
      const undisturbed = await weeks();
      const { effects } = undisturbed.first;
      expect(new Set(effects.map(({ name }) => name))).toContain("inventory.recordCensus");
      expect(effects.length).toBeGreaterThan(20);
      const opened = ({ story }: Run): readonly number[] =>
        story.status("windows-5-12-3").stages!.map(({ openedAt }) => Date.parse(openedAt));
      const failures: string[] = [];
      for (const { index, name, target, detail } of effects.filter((_, nth) => (nth + offset) % EVERY === 0)) {
        const run = await weeks((effect) => (effect.index === index ? mishap : undefined));
        // While nobody leads nothing opens: twenty seconds, and what it takes to begin.
        const late = opened(run).map((at, nth) => Math.abs(at - opened(undisturbed)[nth]!));
        const problems = late.every((by) => by <= 40_000) ? [] : [`stages opened ${late.join(", ")} ms from where they did`];
        if (JSON.stringify(run.end) !== JSON.stringify(undisturbed.end)) problems.push(`it ended ${JSON.stringify(run.end)}`);
        if (problems.length > 0) failures.push(`effect ${index} (${name} ${target} ${detail.slice(0, 80)}) ${way}: ${problems.join("; ")}`);
      }
      expect(failures.slice(0, 3).join("\n\n"), `${failures.length} failures`).toBe("");
    },
  );
});
