import { HOUR } from "../../../core/time/civil.ts";
import { ownerKey } from "../../../simulation/clients/curve.ts";
import { ACCOUNTS, FAULTY, FIXED, isPilotUser, OLD, ROLLOUTS } from "./cast.ts";
import { downgrades, offersOf, usersOf } from "./ledgers.ts";
import { VERSIONS } from "./picture.ts";
import type { ClientPlay } from "./play.ts";

const few = (sentences: readonly string[]): string =>
  `${sentences.slice(0, 3).join("; ")}${sentences.length > 3 ? `; and ${sentences.length - 3} more` : ""}`;
const instant = (at: number): string => new Date(at).toISOString().slice(0, 16).replace("T", " ");
const percent = (part: number, all: number): string => `${((100 * part) / all).toFixed(1)} %`;

/** Accounts whose Windows Clients are upgraded automatically, by their own word. */
export const AUTOMATIC: ReadonlySet<string> = new Set(
  ACCOUNTS.filter(({ policies }) => policies?.windows?.upgrade === "Automatic").map(({ name }) => name),
);

/** Rule C2: before the general rollout pilots alone. */
export async function claimPilotsAlone(play: ClientPlay): Promise<void> {
  await play.claim(
    `for two weeks ${FAULTY} was offered to pilots alone: the provider's own accounts, and the groups that accounts named`,
    () => {
      const offers = offersOf(play.windows, FAULTY);
      const others = offers.filter(({ client }) => !isPilotUser(client.account, client.user));
      const users = usersOf(offers.map(({ client }) => client));
      return {
        holds: users > 100 && others.length === 0,
        found:
          others.length === 0 ? `${users} users, nobody else` : few(others.map(({ client, at }) => `${client.device} at ${instant(at)}`)),
      };
    },
  );
  await play.claim("and it runs on every one of them: no pilot has the disk encryption with which it does not", () => {
    const pilots = new Set(offersOf(play.windows, FAULTY).map(({ client }) => client));
    const failed = [...pilots].filter(({ ledger }) => ledger.failed.length > 0);
    return { holds: failed.length === 0, found: `${pilots.size} computers, ${failed.length} failed` };
  });
}

/** Rule C5: it pauses by itself, and nobody is offered it afterwards. */
export async function claimStopped(play: ClientPlay): Promise<void> {
  const { status } = await play.read(ROLLOUTS.faulty);
  const paused = status?.monitoring?.paused;
  await play.claim(`${FAULTY} paused itself by its failures, and every gateway has confirmed it`, () => ({
    holds: paused?.by === "Failures" && status?.effective === "Paused",
    found: paused === undefined ? `effective is ${status?.effective ?? "not known"}` : paused.message,
  }));
  const all = usersOf(play.windows);
  await play.claim("it was stopped at about 8 % of the users: more than 6 and fewer than 10 of a hundred were ever offered it", () => {
    const users = usersOf(offersOf(play.windows, FAULTY).map(({ client }) => client));
    return { holds: users > 0.06 * all && users < 0.1 * all, found: `${users} of ${all} users, ${percent(users, all)}` };
  });
  await play.claim("and nobody was offered it after that moment", () => {
    const last = offersOf(play.windows, FAULTY).at(-1)?.at ?? 0;
    const at = Date.parse(paused?.at ?? "");
    return {
      holds: last <= at,
      found: `the last offer at ${instant(last)}, paused at ${instant(at)}, now ${instant(play.stage.clock.now())}`,
    };
  });
}

/** Rule C6: whoever runs the faulty one comes first; nobody gets it any more. */
export async function claimExposedFirst(play: ClientPlay): Promise<void> {
  const { status, metadata } = await play.read(ROLLOUTS.fixed);
  const exposed = status?.stages?.find(({ name }) => name === "exposed");
  const created = Date.parse(metadata.creationTimestamp ?? "");
  const until = Date.parse(exposed?.endedAt ?? "");
  await play.claim(`${FIXED} was offered first to computers that run ${FAULTY}, and to no other until enough of them had it`, () => {
    const early = offersOf(play.windows, FIXED).filter(({ at }) => at <= until);
    const others = early.filter(({ on }) => on !== FAULTY);
    const hours = ((until - created) / HOUR).toFixed(0);
    return {
      holds: early.length > 0 && others.length === 0,
      found:
        others.length === 0 ? `${early.length} offers in ${hours} hours` : few(others.map(({ client, on }) => `${client.device} on ${on}`)),
    };
  });
  await play.claim(`nobody was offered ${FAULTY} from the moment on at which ${FIXED} was there`, () => {
    const late = offersOf(play.windows, FAULTY).filter(({ at }) => at > created);
    return { holds: late.length === 0, found: late.length === 0 ? "no offer" : few(late.map(({ client }) => client.device)) };
  });
  await play.claim("it goes on at the phase that was reached, with the same shares, and waits for no pilot twice", () => {
    const names = (status?.stages ?? []).map(({ name }) => name);
    const { accountsPercent = 0, usersPercent = 0 } = status?.reached ?? {};
    return {
      holds: names.join() === "exposed,phase-1",
      found: `${names.join(", then ")}: ${usersPercent} % of the users of ${accountsPercent} % of the accounts; chain ${status?.chain?.join(", ") ?? "none"}`,
    };
  });
}

/** Rule F7: what was foreseen when the phase was taken over. */
export async function claimForeseen(play: ClientPlay, foreseen: readonly { readonly phase: number; readonly at: string }[]): Promise<void> {
  const { status } = await play.read(ROLLOUTS.fixed);
  await play.claim("each phase opened at the second that status.forecast had named when the first one was taken over", () => {
    const opened = foreseen.map(({ phase }) => status?.stages?.find(({ name }) => name === `phase-${phase}`)?.openedAt);
    return {
      holds: foreseen.length > 0 && foreseen.every(({ at }, index) => opened[index] === at),
      found: foreseen.map(({ phase, at }, index) => `phase ${phase}: foreseen ${at}, opened ${opened[index] ?? "never"}`).join("; "),
    };
  });
}

/** Rules C1, C3, C8, L3: who has what at the end. */
export async function claimEverybody(play: ClientPlay): Promise<void> {
  const { windows } = play;
  const ours = windows.filter(({ account }) => AUTOMATIC.has(account));
  await play.claim(`every Windows Client whose account lets it runs ${FIXED}, but for a few on which it did not install`, () => {
    const left = ours.filter(({ version }) => version !== FIXED);
    const unexplained = left.filter(({ ledger }) => !ledger.failed.some(({ version }) => version === FIXED));
    const found = `${ours.length - left.length} of ${ours.length}; ${left.length - unexplained.length} failed`;
    return {
      holds: unexplained.length === 0 && left.length < 0.01 * ours.length,
      found: `${found}, ${unexplained.length} without a reason`,
    };
  });
  await play.claim("accounts that manage their Clients themselves, or have no policy, were never offered anything", () => {
    const others = windows.filter(({ account }) => !AUTOMATIC.has(account));
    const offered = others.filter(({ ledger }) => ledger.offered.length > 0);
    const accounts = new Set(others.map(({ account }) => account)).size;
    return {
      holds: others.length > 0 && offered.length === 0,
      found: `${others.length} Clients of ${accounts} accounts, ${offered.length} offered; they run ${OLD}`,
    };
  });
  await play.claim("nobody was taken back to an older version", () => {
    const found = downgrades(windows, VERSIONS);
    return { holds: found.length === 0, found: found.length === 0 ? `${windows.length} ledgers` : few(found) };
  });
  await play.claim("a user's computers moved together: the general rollout reached all of them by one phase", () => {
    const several = [...Map.groupBy(ours, ownerKey).values()].filter((computers) => computers.length > 1);
    const apart = several.filter((computers) => new Set(computers.flatMap(firstPhase)).size > 1);
    return {
      holds: several.length > 100 && apart.length === 0,
      found: `${several.length} users with several computers, ${apart.length} apart`,
    };
  });
}

/** By which phase a Client got the fixed version; the ones on the faulty version had it before all phases. */
const firstPhase = ({ ledger }: ClientPlay["windows"][number]): readonly string[] =>
  ledger.offered
    .filter(({ version, stage }) => version === FIXED && stage.startsWith("phase"))
    .slice(0, 1)
    .map(({ stage }) => stage);
