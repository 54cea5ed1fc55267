import { counted } from "../../../core/text.ts";
import { BASE, DAYS, FLEET_POPS, nameOf, releaseDraft } from "./cast.ts";
import { claimLimitsKept, claimOnlyReached } from "./claims.ts";
import type { FleetPlay } from "./play.ts";

export async function canaryPasses(play: FleetPlay): Promise<void> {
  const { bad, missing } = play.releases;
  const name = nameOf(bad);
  for (const image of missing) play.stage.missingImages.add(image);
  play.disruptions.begin();
  await play.ask(releaseDraft(bad, play.stage.tempo));
  // A wave opens a day before its first window, and which PoPs are its canaries, and so whose window that is, a hash of their UIDs decides.
  await play.passTo(DAYS.firstSunday.from, () => play.statusOf(name).waves?.[0]?.state === "Open");
  await play.untilRollout(name, "its canaries to be chosen", ({ waves = [] }) => waves[0]?.state === "Open");
  await play.untilRollout(name, "it to wait for its first window", ({ holds }) => holds?.[0]?.reason === "OutsideWindow");
  await play.explain(name, "before its first window", ["OutsideWindow", "wave canary"]);
  await play.passTo(DAYS.firstSunday.to, () => play.statusOf(name).waves?.[0]?.state === "Passed");
  await claimLimitsKept(play);
  await claimOnlyReached(play, bad, play.statusOf(name).waves?.[0]?.pops ?? [], BASE);
}

export async function haltsAndGoesBack(play: FleetPlay): Promise<void> {
  const { bad } = play.releases;
  const name = nameOf(bad);
  await play.passTo(DAYS.firstSunday.to, () => play.statusOf(name).halted !== undefined);
  await play.claim(`${bad} halts in its second wave`, () => {
    const { halted, waves = [] } = play.statusOf(name);
    const states = waves.map((wave) => `${wave.name} ${wave.state}`).join(", ");
    const holds = halted !== undefined && waves[1]?.state === "Open" && waves[2]?.state === "Pending";
    return { holds, found: `${states}; ${halted?.because ?? "not halted"}` };
  });
  const had = await play.popsOn(bad);
  play.say(
    had.length === 0
      ? "No PoP runs it as a whole at this moment; who has begun it goes back"
      : `${counted(had.length, "PoP")} ${had.length === 1 ? "runs" : "run"} it at this moment: ${had.join(", ")}`,
  );
  await play.untilRollout(name, "everybody to be back", ({ outcome }) => outcome === "RolledBack");
  await play.claimAllServe(BASE);
  await play.claim("the way back was by the operator's own decision, for the right reason", () => {
    const evidence = evidenceOf(play, bad);
    return {
      holds: evidence.length > 0 && evidence.every(([, text]) => /ErrImagePull|ImagePullBackOff/.test(text)),
      found: evidence.map(([pop, text]) => `${pop}: ${text}`).join("; "),
    };
  });
  await play.claim(`nobody outside of its first two waves ever ran ${bad}`, () => {
    const reached = new Set((play.statusOf(name).waves ?? []).flatMap(({ pops = [] }) => pops));
    const ran = FLEET_POPS.filter((pop) => play.chronicle.nodesThatRan(bad).some((node) => node.startsWith(`${pop.name}-`)));
    const others = ran.filter((pop) => !reached.has(pop.name));
    return { holds: others.length === 0 && ran.length > 0, found: ran.map((pop) => pop.name).join(", ") };
  });
  await claimLimitsKept(play);
  await play.explain(name, "when it was taken back", ["RolledBack", "it failed on"]);
  tellHowLong(play, bad);
}

/** PoPs on which the version got a failed verdict of its own, and why. */
const evidenceOf = (play: FleetPlay, version: string): (readonly [pop: string, evidence: string])[] =>
  play.chronicle
    .pops()
    .flatMap(({ metadata, status }) =>
      (status?.revisions?.failed ?? []).filter((one) => one.version === version).map(({ evidence }) => [metadata.name, evidence] as const),
    )
    .filter(([, evidence]) => !/PoPRollout|rollout/.test(evidence));

function tellHowLong(play: FleetPlay, version: string): void {
  const symptom = play.chronicle.symptom(version);
  const back = play.chronicle.firstBack(version);
  if (!symptom || !back) return;
  play.told.takenBack.push({
    version,
    pop: "the fleet",
    evidence: evidenceOf(play, version).map(([pop, text]) => `${pop}: ${text}`)[0] ?? "",
    symptom: symptom.what,
    symptomToFirstBackMilliseconds: back.elapsed - symptom.elapsed,
    nodesThatRanIt: play.chronicle.nodesThatRan(version),
  });
}
