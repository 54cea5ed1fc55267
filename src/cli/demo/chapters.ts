import type { Chapter } from "./act.ts";
import { BAD_CHAPTERS } from "./bad-versions.ts";
import {
  BERLIN,
  type CastPop,
  CURTAIN,
  type GoodVersions,
  LAST_START_AFTER,
  NODES_PER_POP,
  POPS,
  SUNDAYS,
  TOKYO,
  type Versions,
} from "./cast.ts";
import { readNodes } from "./claims.ts";
import type { Play } from "./play.ts";
import { isOver, waitForWindow } from "./waiting.ts";
import { nodeSpecs } from "../../simulation/nodes/node-fleet.ts";

const HOUR = 3_600_000;

/** The first act: two PoPs, node by node. */
export const CHAPTERS: readonly Chapter<Play>[] = [
  {
    title: "the first version joins",
    story:
      "Two PoPs of four nodes and one MaintenanceWindow, Sunday 01:00 local time. A first version disrupts nobody: no window, no drain.",
    run: firstVersion,
  },
  {
    title: "a good version rolls",
    story: "One version for both. Sunday comes to Tokyo eight hours before it comes to Berlin; each goes node by node.",
    run: goodVersion,
  },
  ...BAD_CHAPTERS,
  {
    title: "the fixed version goes through, and a node is killed in the middle",
    story: "Nothing else may go out while a dead node fills the budget. It comes back, and the roll goes on.",
    run: nodeIsKilled,
  },
  {
    title: "a window closes in the middle",
    story:
      "The version comes seconds before the last start. What was begun is finished; the next node waits for the next Sunday of the same object.",
    run: windowCloses,
  },
];

/** All PoPs of the play are applied, with a version that disrupts nobody, and get their users. */
export async function firstVersion(play: Play<GoodVersions>): Promise<void> {
  const { stage, versions, pops } = play;
  await play.applyFleet();
  await stage.perform(stage.nodes.start(pops.flatMap(({ name }) => nodeSpecs(name, NODES_PER_POP))));
  for (const pop of pops) await play.applyPop(pop, versions.first);
  for (const pop of pops) {
    await play.outcome(pop, versions.first);
    await play.claimServes(pop, versions.first);
    await play.claim(`no node of ${pop.city} was drained for it, and no grant was asked for`, async () => {
      const { grant } = (await play.read(pop)).status ?? {};
      const claims = play.chronicle.claimsOf(pop.name, 1).size;
      return { holds: grant === undefined && claims === 0, found: `${claims} drains, ${grant ? `grant ${grant.id}` : "no grant"}` };
    });
    await play.holdSessions(pop);
  }
}

async function goodVersion(play: Play): Promise<void> {
  const { good, first } = play.versions;
  await play.passTo(CURTAIN + 2 * HOUR);
  for (const pop of POPS) {
    play.markSessions(pop);
    await play.setVersion(pop, good);
  }
  await play.untilPop(BERLIN, `${good} to wait for its window`, ({ holds }) => holds?.[0]?.reason === "OutsideWindow");
  await play.explain(BERLIN, good, "before its window", ["OutsideWindow", SUNDAYS.ber1[0].replace(".000Z", "Z")]);
  await waitForWindow(play, TOKYO, good, SUNDAYS.tyo1[0]);
  await rollThrough(play, TOKYO, good, SUNDAYS.tyo1[0]);
  await play.claimServes(BERLIN, first);
  await play.passTo(SUNDAYS.ber1[0]);
  await rollThrough(play, BERLIN, good, SUNDAYS.ber1[0]);
}

/** The roll to its end; it began inside the window that starts at `window`. */
export async function rollThrough(play: Play<GoodVersions>, pop: CastPop, version: string, window: string): Promise<void> {
  const soaks = ({ step }: { readonly step: string }) => step === "Soaking";
  await play.untilPop(
    pop,
    `the first node on ${version}`,
    ({ run, nodes = [], history }) => isOver(history, version) || (run?.version === version && nodes.some(soaks)),
  );
  await play.explain(pop, version, "in the middle", [version]);
  await play.claim(`${version} rolls through ${pop.city}`, async () => {
    const outcome = await play.outcome(pop, version);
    return { holds: outcome === "Rolled", found: outcome };
  });
  await play.claim(`its drains were inside the window of ${window}`, async () => {
    const claims = claimInstants(play, pop, (await play.read(pop)).status?.run?.id ?? 0);
    const inside = claims.every((at) => at >= Date.parse(window) && at <= Date.parse(window) + LAST_START_AFTER);
    return {
      holds: inside && claims.length >= NODES_PER_POP,
      found: claims.map((at) => new Date(at).toISOString()).join(", ") || "no drain at all",
    };
  });
  await play.claimServes(pop, version);
  await play.claimSessionsKept(pop, 2);
}

const claimInstants = (play: Play<GoodVersions>, pop: CastPop, run: number): number[] =>
  [...play.chronicle.claimsOf(pop.name, run).values()].flat().map((at) => Date.parse(at));

/** The fixed version rolls on the third Sunday, and the node that would come last loses its power meanwhile. */
export async function nodeIsKilled(play: Play<GoodVersions & Pick<Versions, "fixed">>): Promise<void> {
  const { fixed } = play.versions;
  await play.passTo(Date.parse(SUNDAYS.tyo1[2]) - HOUR);
  await play.setVersion(TOKYO, fixed);
  await waitForWindow(play, TOKYO, fixed, SUNDAYS.tyo1[2]);
  // Not earlier: the first node's sessions went to nodes that are still to come, and their counters would die with the node (rule P11).
  await play.untilPop(TOKYO, `the second node on its way to ${fixed}`, ({ run, nodes = [] }) => {
    const steps = new Set(nodes.filter(({ revision }) => revision !== undefined).map(({ step }) => step));
    return (
      run?.version === fixed && steps.has("Updating") && nodes.some(({ step, revision }) => step === "Done" && revision === run.revision)
    );
  });
  const victim = await lastInOrder(play, TOKYO);
  play.say(`somebody pulls the plug of ${victim}`);
  await play.stage.perform(play.stage.nodes.kill(victim));
  await play.untilPop(
    TOKYO,
    `the roll to hold because of ${victim}`,
    ({ holds, nodes }) => names(holds, victim) && !(nodes ?? []).some(isOut),
  );
  await play.explain(TOKYO, fixed, "while a node is dead", [victim]);
  // Who counts sessions misses the node at once; the API server gives a kubelet some time before it calls its node NotReady.
  await play.untilPop(TOKYO, `${victim} to count as out of service`, ({ members }) => (members?.out ?? 0) > 0);
  await play.claim(`nobody but ${victim} is out of service`, async () => {
    const nodes = await play.stage.perform(readNodes(play.stage.cluster, TOKYO.name));
    const out = nodes.filter((node) => node.serves.length === 0 || !node.ready || node.claimed).map(({ name }) => name);
    return { holds: out.join() === victim, found: out.join(", ") || "nobody" };
  });
  play.say(`${victim} gets its power back`);
  await play.stage.perform(play.stage.nodes.reboot(victim));
  await play.claim(`${fixed} goes through`, async () => {
    const outcome = await play.outcome(TOKYO, fixed);
    return { holds: outcome === "Rolled", found: outcome };
  });
  await play.claimServes(TOKYO, fixed);
}

/** The dead node fills the budget; or it died before the sessions that it may have taken over were counted, and the soak holds (P11). */
const names = (holds: readonly { reason: string; message: string }[] | undefined, node: string): boolean =>
  holds?.some(({ reason, message }) => ["BudgetExhausted", "HealthUnknown"].includes(reason) && message.includes(node)) ?? false;

const isOut = ({ step }: { readonly step: string }): boolean => step === "Claimed" || step === "Updating";

async function lastInOrder(play: Play<GoodVersions>, pop: CastPop): Promise<string> {
  const { run, nodes = [] } = (await play.read(pop)).status ?? {};
  const uid = run?.frozen.order.at(-1);
  return nodes.find((node) => node.uid === uid)?.name ?? `${pop.name}-n${NODES_PER_POP}`;
}

async function windowCloses(play: Play): Promise<void> {
  const { fixed } = play.versions;
  const lastStart = Date.parse(SUNDAYS.ber1[2]) + LAST_START_AFTER;
  const next = SUNDAYS.ber1[3];
  await play.passTo(lastStart - play.stage.tempo.beforeLastStartMilliseconds);
  play.markSessions(BERLIN);
  await play.setVersion(BERLIN, fixed);
  await play.untilPop(
    BERLIN,
    "the window to close in the middle",
    ({ run, holds, nodes = [] }) =>
      run?.version === fixed &&
      ["LastStartPassed", "OutsideWindow"].includes(holds?.[0]?.reason ?? "") &&
      !nodes.some((node) => isOut(node) || node.step === "Soaking"),
  );
  const first = (await play.read(BERLIN)).status!;
  const done = (first.nodes ?? [])
    .filter(({ step, revision }) => step === "Done" && revision === first.run!.revision)
    .map(({ name }) => name);
  await play.claim("some nodes are done and the others untouched", async () => {
    const nodes = await play.stage.perform(readNodes(play.stage.cluster, BERLIN.name));
    const on = (version: string) => nodes.filter((node) => node.serves.join() === version && !node.claimed).map(({ name }) => name);
    const [updated, others] = [on(fixed), on(play.versions.good)];
    return {
      holds: updated.length > 0 && others.length > 0 && updated.length + others.length === NODES_PER_POP && updated.join() === done.join(),
      found: `${updated.join(", ") || "nobody"} on ${fixed}, ${others.join(", ") || "nobody"} on ${play.versions.good}`,
    };
  });
  await play.explain(BERLIN, fixed, "when its window had closed", [next.replace(".000Z", "Z")]);
  await play.passTo(next);
  await play.claim(`${fixed} goes through in the next window`, async () => {
    const outcome = await play.outcome(BERLIN, fixed);
    return { holds: outcome === "Rolled", found: outcome };
  });
  await play.claim(`it is the same run: ${done.join(", ")} stayed as they were, the others began after ${next}`, async () => {
    const run = (await play.read(BERLIN)).status?.run?.id;
    const claims = [...play.chronicle.claimsOf(BERLIN.name, first.run!.id)];
    const early = claims.filter(([, at]) => at.some((one) => Date.parse(one) <= lastStart)).map(([name]) => name);
    const late = claims.filter(([, at]) => at.some((one) => Date.parse(one) >= Date.parse(next))).map(([name]) => name);
    const holds =
      run === first.run!.id &&
      done.every((name) => early.includes(name) && !late.includes(name)) &&
      done.length + late.length === NODES_PER_POP;
    return { holds, found: `run ${run}, before: ${early.toSorted().join(", ")}; after: ${late.toSorted().join(", ")}` };
  });
  await play.claimServes(BERLIN, fixed);
  await play.claimSessionsKept(BERLIN, 3);
}
