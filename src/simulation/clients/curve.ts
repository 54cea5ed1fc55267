import { compareVersions, parseVersion } from "../../api/version.ts";
import { userKey } from "../../core/client/cohort.ts";
import type { Instant } from "../../core/decision.ts";
import { strayOf, type Waits } from "./forecast-band.ts";
import type { Track } from "./forecast-world.ts";

/** How many users run a version: what is expected when nothing fails, and the band in which it is to be. */
export interface VersionBand {
  /** Empty: a new installation, or one that says none. */
  readonly version: string;
  readonly users: number;
  readonly low: number;
  readonly high: number;
}

export interface CurveRow {
  readonly at: Instant;
  /** By version, the oldest first; a user of two versions counts for both. */
  readonly byVersion: readonly VersionBand[];
}

/** Computers that are alike: what they run, and when which version has reached them. */
interface Alike {
  readonly base: string;
  readonly steps: readonly { readonly at: Instant; readonly version: string }[];
}

/** Users who are alike. */
interface Users {
  readonly count: number;
  readonly computers: readonly Alike[];
}

/** An installation takes so long from its offer, more or less; elapsed milliseconds. */
const INSTALLING = 20 * 60_000;

/** Users by version at any instant, from whom each stage reaches when, and from how long Clients take until they come. */
export class Curve {
  /** Different users. */
  readonly users: number;
  readonly #classes: readonly Users[];
  readonly #waits: Waits;
  readonly #versions: readonly string[];
  /** Of a version the share that may fail before it pauses by itself. */
  readonly #mayFail: ReadonlyMap<string, number>;
  readonly #points: number;

  constructor(tracks: readonly Track[], waits: Waits, mayFail: ReadonlyMap<string, number>, rows: number) {
    this.#waits = waits;
    this.#mayFail = mayFail;
    this.#classes = classesOf(tracks);
    this.users = this.#classes.reduce((sum, { count }) => sum + count, 0);
    const versions = this.#classes.flatMap(({ computers }) =>
      computers.flatMap(({ base, steps }) => [base, ...steps.map(({ version }) => version)]),
    );
    this.#versions = [...new Set(versions)].toSorted(byVersion);
    this.#points = Math.max(1, rows * this.#versions.length);
  }

  at(instant: Instant): CurveRow {
    const expected = this.#versions.map((version) => ({ version, ...this.#expected(version, instant) }));
    const byVersion = expected.map(({ version, mean, variance }, index): VersionBand => {
      const stray = strayOf(variance, this.#points);
      const failing = (this.#mayFail.get(version) ?? 0) * mean;
      // Whoever fails stays on an older version.
      const kept = expected.slice(index + 1).reduce((sum, newer) => sum + (this.#mayFail.get(newer.version) ?? 0) * newer.mean, 0);
      return {
        version,
        users: Math.round(mean),
        low: Math.max(0, Math.floor(mean - failing - stray)),
        high: Math.min(this.users, Math.ceil(mean + kept + stray)),
      };
    });
    return { at: instant, byVersion };
  }

  /** What stays when nobody is offered anything from that instant on: who was offered it before is taken to have installed it. */
  frozenAt(instant: Instant): CurveRow & { readonly waiting: number } {
    return { ...this.at(instant + INSTALLING), at: instant, waiting: this.#waiting(instant + INSTALLING) };
  }

  /** Users who are reached by then, and of whom a computer has not come for it yet. */
  #waiting(instant: Instant): number {
    const waiting = this.#classes.map(({ count, computers }) => {
      const came = computers.reduce((all, { steps }) => {
        const last = steps.findLast(({ at }) => at <= instant);
        return last === undefined ? all : all * this.#waits.within(instant - last.at - INSTALLING);
      }, 1);
      return count * (1 - came);
    });
    return Math.round(waiting.reduce((sum, users) => sum + users, 0));
  }

  #expected(version: string, instant: Instant): { readonly mean: number; readonly variance: number } {
    let [mean, variance, spread] = [0, 0, 0];
    for (const { count, computers } of this.#classes) {
      const none = computers.reduce((all, computer) => all * (1 - this.#runs(computer, version, instant)), 1);
      const own = none * (1 - none);
      mean += count * (1 - none);
      variance += count * own;
      spread += count * Math.sqrt(own);
    }
    // The waits themselves were seen on so many Clients only, and are as uncertain as that.
    return { mean, variance: variance + spread ** 2 / Math.max(1, this.#waits.count) };
  }

  /** How likely a computer runs the version then: it came since that one reached it, and not since the next one did. */
  #runs({ base, steps }: Alike, version: string, instant: Instant): number {
    let share = 0;
    for (let index = -1; index < steps.length; index += 1) {
      if ((index < 0 ? base : steps[index]!.version) !== version) continue;
      const since = index < 0 ? 1 : this.#came(steps[index]!.at, instant);
      const next = steps[index + 1];
      share += Math.max(0, since - (next === undefined ? 0 : this.#came(next.at, instant)));
    }
    return share;
  }

  #came(reachedAt: Instant, instant: Instant): number {
    return this.#waits.within(instant - reachedAt - INSTALLING);
  }
}

const byVersion = (one: string, other: string): number => {
  const [left, right] = [parseVersion(one), parseVersion(other)];
  return left === undefined || right === undefined
    ? Number(left !== undefined) - Number(right !== undefined)
    : compareVersions(left, right);
};

/** Who a computer counts for: its user, or itself. */
export const ownerKey = ({
  account,
  user,
  device,
}: {
  readonly account: string;
  readonly user?: string | undefined;
  readonly device: string;
}): string => JSON.stringify(user === undefined ? [account, "device", device] : [account, "user", userKey(user)]);

function classesOf(tracks: readonly Track[]): readonly Users[] {
  const alike = new Map<string, { readonly id: number; readonly computer: Alike }>();
  const byUser = new Map<string, number[]>();
  for (const { client, reached } of tracks) {
    const base = client.version ?? "";
    const key = `${base} ${reached.map(({ at, version }) => `${at}:${version}`).join(" ")}`;
    let known = alike.get(key);
    if (known === undefined) {
      known = { id: alike.size, computer: { base, steps: reached.map(({ at, version }) => ({ at, version })) } };
      alike.set(key, known);
    }
    const owner = ownerKey(client);
    const ids = byUser.get(owner);
    if (ids === undefined) byUser.set(owner, [known.id]);
    else ids.push(known.id);
  }
  const computers = [...alike.values()].map(({ computer }) => computer);
  const users = new Map<string, { count: number; readonly computers: readonly Alike[] }>();
  for (const ids of byUser.values()) {
    const key = ids.toSorted((one, other) => one - other).join();
    const known = users.get(key);
    if (known === undefined) users.set(key, { count: 1, computers: ids.map((id) => computers[id]!) });
    else known.count += 1;
  }
  return [...users.values()];
}
