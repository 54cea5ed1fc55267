import { DAY, HOUR } from "../../../core/time/civil.ts";
import type { Chapter } from "../act.ts";
import { ACCOUNT_COUNT, CLIENT_COUNT, DAYS, FAULTY, faultyDraft, FIXED, fixedDraft, OLD, ROLLOUTS } from "./cast.ts";
import { AUTOMATIC, claimEverybody, claimExposedFirst, claimForeseen, claimPilotsAlone, claimStopped } from "./claims.ts";
import { usersOf } from "./ledgers.ts";
import { weekLines } from "./picture.ts";
import type { ClientPlay } from "./play.ts";

/** The fourth act: Clients on the computers of users, over six weeks. */
export const CLIENT_CHAPTERS: readonly Chapter<ClientPlay>[] = [
  {
    title: `${CLIENT_COUNT.toLocaleString("en")} Clients of ${ACCOUNT_COUNT} accounts`,
    story:
      "Users with one to three computers, on three systems. Some accounts let the provider upgrade, some do it themselves, some say nothing.",
    run: fleetIsThere,
  },
  {
    title: "two weeks with pilots",
    story: `${FAULTY} for Windows is announced. Pilots get it at once; nobody else before two weeks are over and the pilots' evidence is there.`,
    run: pilots,
  },
  {
    title: "a fault that no pilot has",
    story: "The general rollout begins: 40 % of the users of 25 % of the accounts. On computers with a certain disk encryption it fails.",
    run: stopsItself,
  },
  {
    title: `${FIXED} mends it`,
    story: `It supersedes ${FAULTY}: computers that run the faulty version come first, then the phase goes on where it was.`,
    run: mends,
  },
  {
    title: "everybody",
    story: "Two more phases, at instants that were known beforehand. After six weeks every ledger is read.",
    run: everybody,
  },
];

async function fleetIsThere(play: ClientPlay): Promise<void> {
  await play.apply();
  await play.claim(`${CLIENT_COUNT.toLocaleString("en")} Clients of ${ACCOUNT_COUNT} accounts are there, and run ${OLD}`, () => {
    const { clients } = play.field.fleet;
    const systems = Map.groupBy(clients, ({ os }) => os);
    const counts = [...systems].map(([os, those]) => `${those.length} on ${os}`).join(", ");
    return {
      holds: clients.length === CLIENT_COUNT && clients.every(({ version }) => version === OLD),
      found: `${usersOf(clients)} users; ${counts}; ${AUTOMATIC.size} accounts let Windows be upgraded`,
    };
  });
}

async function pilots(play: ClientPlay): Promise<void> {
  await play.passTo(DAYS.announced);
  await play.announce(
    faultyDraft(),
    `the provider applies ClientRollout ${ROLLOUTS.faulty}: ${FAULTY} for Windows, general after two weeks`,
  );
  await play.passTo(Date.parse(DAYS.general) - HOUR);
  await claimPilotsAlone(play);
  play.draw();
}

async function stopsItself(play: ClientPlay): Promise<void> {
  const isPaused = (): boolean => play.rollout(ROLLOUTS.faulty)?.status?.effective === "Paused";
  await play.passTo(Date.parse(DAYS.general) + DAY, isPaused);
  // Half a day more, in which nothing may happen.
  await play.passTo(play.stage.clock.now() + 12 * HOUR);
  await claimStopped(play);
  play.draw();
}

async function mends(play: ClientPlay): Promise<void> {
  await play.passTo(DAYS.fixed);
  await play.announce(fixedDraft(), `the provider applies ClientRollout ${ROLLOUTS.fixed}: ${FIXED}, which supersedes ${ROLLOUTS.faulty}`);
  const goesOn = (): boolean => play.rollout(ROLLOUTS.fixed)?.status?.reached?.stage === "Phase";
  await play.passTo(Date.parse(DAYS.fixed) + 3 * DAY, goesOn);
  await play.passTo(play.stage.clock.now() + HOUR);
  await claimExposedFirst(play);
  play.draw();
}

async function everybody(play: ClientPlay): Promise<void> {
  const { status } = await play.read(ROLLOUTS.fixed);
  await play.passTo(DAYS.end);
  await claimForeseen(play, status?.forecast?.phases ?? []);
  await claimEverybody(play);
  play.told.shown.push("Users of Windows by version, by their own ledgers; a user of two versions counts for the older one:");
  for (const line of weekLines(play.users, play.stage.clock.now())) play.told.shown.push(`  ${line}`);
}
