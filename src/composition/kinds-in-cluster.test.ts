import { expect, it } from "vitest";
import { VirtualClock } from "../simulation/clock.ts";
import { kindsInCluster } from "./kinds-in-cluster.ts";

const NAMES = ["fleets.rollward.dev", "popclusters.rollward.dev"];

/** Kinds of these versions, under an operator of 1.4.0; what it finds may change. */
function world(versions: Record<string, string | undefined | Error>) {
  const clock = new VirtualClock(Date.parse("2026-11-29T00:00:00Z"));
  const said: string[] = [];
  const stop = new AbortController();
  const state = { fit: false };
  const kinds = kindsInCluster({
    version: "1.4.0",
    names: NAMES,
    versionOf: (name) => {
      const found = versions[name];
      return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
    },
    clock,
    log: (level, message) => void said.push(`${level}: ${message}`),
    stop: stop.signal,
  });
  void kinds.fit.then(() => (state.fit = true));
  return { clock, kinds, said, state, stop, versions };
}

it("[I21] on older kinds it stays away, says so once with the command, and goes on by itself when they are up to date", async () => {
  const { clock, kinds, said, state, versions } = world({ [NAMES[0]!]: "1.4.0", [NAMES[1]!]: "1.3.9" });
  await clock.advance(60_000);
  expect(state.fit).toBe(false);
  expect(kinds.missing()).toBe(
    "the kinds popclusters.rollward.dev (1.3.9) in this cluster are older than this operator (1.4.0), and would lose what they do not know of its " +
      "ledgers; apply those of this version: helm show crds CHART (or rollward crds) | kubectl apply --server-side --force-conflicts -f -",
  );
  expect(said).toEqual([`warn: this operator does not lead yet: ${kinds.missing()}`]);
  versions[NAMES[1]!] = "1.4.0";
  await clock.advance(6_000);
  expect([state.fit, kinds.missing()]).toEqual([true, undefined]);
});

it("[I21] on later kinds it works, and says once that it keeps what it does not know", async () => {
  const { clock, said, state } = world({ [NAMES[0]!]: "1.5.0", [NAMES[1]!]: "1.5.0" });
  await clock.advance(60_000);
  expect(state.fit).toBe(true);
  expect(said).toEqual([
    "info: the kinds in this cluster are of version 1.5.0, later than this operator (1.4.0): it keeps the fields that only they know, " +
      "and does not obey them; do not put older kinds back",
  ]);
});

it("[I21] kinds of which nobody knows the version do not keep it; an API server that gives no answer does, and ended it leads no more", async () => {
  const unknown = world({ [NAMES[0]!]: undefined, [NAMES[1]!]: "of ours" });
  await unknown.clock.advance(1_000);
  expect([unknown.state.fit, unknown.said]).toEqual([true, []]);
  const silent = world({ [NAMES[0]!]: new Error("connect ECONNREFUSED"), [NAMES[1]!]: "1.4.0" });
  await silent.clock.advance(1_000);
  expect(silent.kinds.missing()).toBe("they cannot be looked at: connect ECONNREFUSED");
  silent.stop.abort(new Error("SIGTERM"));
  silent.versions[NAMES[0]!] = "1.4.0";
  await silent.clock.advance(60_000);
  expect(silent.state.fit).toBe(false);
});

it("[I21] kinds that become older while it works end it within half a minute; a server without an answer, and later kinds, do not", async () => {
  const { clock, kinds, said, versions } = world({ [NAMES[0]!]: "1.4.0", [NAMES[1]!]: "1.4.0" });
  await clock.advance(31_000);
  versions[NAMES[0]!] = new Error("connect ECONNREFUSED");
  await clock.advance(61_000);
  versions[NAMES[0]!] = "1.5.0";
  await clock.advance(61_000);
  expect([kinds.replaced.aborted, kinds.missing(), said.length]).toEqual([false, undefined, 1]);
  versions[NAMES[1]!] = "1.3.9";
  await clock.advance(30_000);
  expect((kinds.replaced.reason as Error).message).toMatch(
    /^the kinds were replaced while this operator worked, .*: the kinds popclusters\.rollward\.dev \(1\.3\.9\) in this cluster are older/,
  );
  expect(kinds.missing()).toMatch(/are older than this operator \(1\.4\.0\)/);
});

it("[I21] an operator that ends does not look at the kinds any more", async () => {
  const { clock, kinds, stop, versions } = world({ [NAMES[0]!]: "1.4.0", [NAMES[1]!]: "1.4.0" });
  await clock.advance(1_000);
  stop.abort(new Error("SIGTERM"));
  versions[NAMES[1]!] = "1.3.9";
  await clock.advance(120_000);
  expect(kinds.replaced.aborted).toBe(false);
});
