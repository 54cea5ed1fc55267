import type { Chapter } from "./act.ts";
import { BERLIN, type CastPop, type GoodVersions, SUNDAYS, TOKYO, type Versions } from "./cast.ts";
import type { Play } from "./play.ts";
import { isOver, waitForWindow } from "./waiting.ts";

const HOUR = 3_600_000;

/** A version that has to be taken back, and what is known of it beforehand. */
export interface BadVersion<V extends GoodVersions = Versions> {
  readonly title: string;
  readonly story: string;
  readonly version: (versions: V) => string;
  readonly pop: CastPop;
  /** The window's start that it waits for; absent: the window is open when it comes. */
  readonly waitsFor?: string;
  /** What `status.history` has to say of how it was found. */
  readonly evidence: RegExp;
  /** Nodes that may run it before it is found out. */
  readonly nodesAtMost: number;
  /** Everything looks well for so long; calendar milliseconds. */
  readonly goodFor?: number;
}

export const CANNOT_BE_PULLED: BadVersion<GoodVersions & Pick<Versions, "cannotBePulled">> = {
  title: "a version that cannot be pulled",
  story: "The registry does not have it. One node tries; the kubelet's word is enough.",
  version: ({ cannotBePulled }) => cannotBePulled,
  pop: TOKYO,
  waitsFor: SUNDAYS.tyo1[1],
  evidence: /ErrImagePull|ImagePullBackOff/,
  nodesAtMost: 1,
};

export const CRASHES: BadVersion<GoodVersions & Pick<Versions, "crashes">> = {
  title: "a version that crashes",
  story: "It exits after each start. The window is still open, so it begins at once.",
  version: ({ crashes }) => crashes,
  pop: TOKYO,
  evidence: /exited \d+ times|CrashLoopBackOff/,
  nodesAtMost: 1,
};

const BAD_VERSIONS: readonly BadVersion[] = [
  CANNOT_BE_PULLED,
  CRASHES,
  {
    title: "a version that is healthy and loses sessions",
    story: "Every probe is green. Only who counts the users that come back can tell.",
    version: ({ losesSessions }) => losesSessions,
    pop: BERLIN,
    waitsFor: SUNDAYS.ber1[1],
    evidence: /reconnect: \d+ of \d+ sessions/,
    nodesAtMost: 3,
  },
  {
    title: "a version that is good for an hour and then bad",
    story: "It rolls through, bakes and passes. It is watched all the same, and an hour after its start it turns.",
    version: ({ badAfterAnHour }) => badAfterAnHour,
    pop: BERLIN,
    evidence: /healthz|not Ready|500/,
    nodesAtMost: 4,
    goodFor: HOUR,
  },
];

export const badChapter = <V extends GoodVersions>(bad: BadVersion<V>): Chapter<Play<V>> => ({
  title: bad.title,
  story: bad.story,
  run: (play) => playBad(play, bad),
});

export const BAD_CHAPTERS: readonly Chapter<Play>[] = BAD_VERSIONS.map((bad) => badChapter(bad));

async function playBad<V extends GoodVersions>(play: Play<V>, bad: BadVersion<V>): Promise<void> {
  const { pop, waitsFor } = bad;
  const version = bad.version(play.versions);
  const before = play.versions.good;
  if (waitsFor !== undefined) await play.passTo(Date.parse(waitsFor) - HOUR);
  await play.claimServes(pop, before);
  play.markSessions(pop);
  await play.setVersion(pop, version);
  if (waitsFor !== undefined) await waitForWindow(play, pop, version, waitsFor);
  if (bad.goodFor !== undefined) await lookGood(play, bad, bad.goodFor);
  if (bad.goodFor === undefined) await play.outcome(pop, version);
  else await play.untilPop(pop, `the rollback of ${version}`, ({ history }) => isOver(history, version));
  await claimTakenBack(play, bad, before);
}

/** All nodes run it, and nobody can see anything wrong. */
async function lookGood<V extends GoodVersions>(play: Play<V>, bad: BadVersion<V>, milliseconds: number): Promise<void> {
  const { pop } = bad;
  const version = bad.version(play.versions);
  await play.claim(`${version} rolls through ${pop.city} before it turns bad`, async () => {
    const outcome = await play.outcome(pop, version);
    return { holds: outcome === "Rolled", found: outcome };
  });
  await play.claimServes(pop, version);
  await play.explain(pop, version, "while all is well", [version]);
  const started = play.chronicle.firstReady(version);
  if (started) await play.passTo(started.calendar + milliseconds - 5_000);
}

async function claimTakenBack<V extends GoodVersions>(play: Play<V>, bad: BadVersion<V>, before: string): Promise<void> {
  const { pop, nodesAtMost } = bad;
  const version = bad.version(play.versions);
  const { history = [], revisions } = (await play.read(pop)).status ?? {};
  const entry = history.findLast((one) => one.version === version);
  const evidence = entry?.evidence ?? "no evidence";
  await play.claim(`${version} is taken back by itself, for the right reason`, () => ({
    holds:
      entry?.outcome === "RolledBack" &&
      bad.evidence.test(evidence) &&
      (revisions?.failed?.some((one) => one.version === version) ?? false),
    found: entry
      ? `${entry.outcome}: ${evidence}`
      : `status.history has ${history.map((one) => `${one.version} ${one.outcome}`).join(", ") || "nothing"}`,
  }));
  await play.claimServes(pop, before);
  const ran = play.chronicle.nodesThatRan(version);
  await play.claim(`at most ${nodesAtMost} of its nodes ever ran ${version}`, () => ({
    holds: ran.length <= nodesAtMost && ran.length > 0,
    found: ran.join(", ") || "none",
  }));
  await play.claim(`${version} is not tried again`, async () => {
    await play.untilPop(pop, `the hold on ${version}`, ({ holds }) => holds?.[0]?.reason === "FailedBefore");
    const { reason, message } = (await play.read(pop)).status?.holds?.[0] ?? { reason: "nothing", message: "" };
    return { holds: reason === "FailedBefore", found: message };
  });
  await play.explain(pop, version, "when it was taken back", ["FailedBefore", version]);
  const symptom = play.chronicle.symptom(version);
  const back = play.chronicle.firstBack(version);
  await play.claim(`a node was back with ${before} after the first symptom of ${version}`, () => ({
    holds: symptom !== undefined && back !== undefined,
    found: `${symptom?.what ?? "no symptom was seen"}, then ${back?.what ?? "no node was back"}`,
  }));
  if (!symptom || !back) return;
  const symptomToFirstBackMilliseconds = back.elapsed - symptom.elapsed;
  play.say(`from the first symptom (${symptom.what}) to the first node back: ${(symptomToFirstBackMilliseconds / 1000).toFixed(1)} s`);
  play.told.takenBack.push({
    version,
    pop: pop.name,
    evidence,
    symptom: symptom.what,
    symptomToFirstBackMilliseconds,
    nodesThatRanIt: ran,
  });
}
