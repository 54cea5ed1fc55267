import type { WaveStatus } from "../../api/pop-rollout.ts";
import type { Announcement, Hold, Instant } from "../decision.ts";
import { cleanText, counted } from "../text.ts";
import { HOUR } from "../time/civil.ts";
import { decidedText, ignoredText, rulingOf } from "./approvals.ts";
import { assignmentOf, otherAssignments } from "./assign.ts";
import { waveDigest } from "./digest.ts";
import { reachedIndex } from "./exposed.ts";
import { gateOf } from "./gates.ts";
import { whyNoWindow } from "./no-window.ts";
import { iso, type Outcome } from "./outcome.ts";
import { type Pick, pickFor } from "./pick.ts";
import { EXPOSED, type RolloutView, withAssignments } from "./view.ts";

/** A wave opens so long before the first of its windows: its PoPs pull the images meanwhile (rule P3). */
const AHEAD = 24 * HOUR;

/**
 * Opens the wave whose turn it is (rules F1, F8, G4): its members are chosen and frozen, and get their assignments. While it waits its
 * digest stands in status, for who would be picked now, so that an Approval can name it.
 */
export function openWaves(view: RolloutView, now: Instant): Outcome | undefined {
  const due = dueWaves(view);
  if (due.length === 0) return undefined;
  const { shut, holds } = gateOf(view, now);
  if (shut) return { holds };
  let current = view;
  const outcomes = due.map((name) => {
    const outcome = openOrWait(current, name, now);
    if (outcome.ledger) current = { ...current, ...moved(outcome.ledger) };
    return outcome;
  });
  return {
    ...(current.ledger === view.ledger ? {} : { ledger: current.ledger }),
    holds: outcomes.flatMap(({ holds = [] }) => holds),
    events: outcomes.flatMap(({ events = [] }) => events),
    wakes: outcomes.flatMap(({ wakes = [] }) => wakes),
  };
}

function moved(ledger: RolloutView["ledger"]) {
  const assignments = ledger.assignments ?? [];
  return { ledger, assignments, assigned: new Map(assignments.map((one) => [one.pop, one])), waves: ledger.waves ?? [] };
}

/**
 * The first wave that has not opened, when those before it are over. Of a rollout that mends another: once the exposed PoPs are over,
 * all waves up to the one that the faulty one had reached, at once (rule F5).
 */
function dueWaves(view: RolloutView): string[] {
  const { waves } = view;
  const first = waves.findIndex(({ state }) => state === "Pending");
  if (first < 0) return [];
  const isDue = (index: number) => waves.slice(0, index).every(({ state }) => state === "Passed" || state === "Skipped");
  const exposed = waves.find(({ name }) => name === EXPOSED);
  const reached = exposed && exposed.state !== "Pending" && exposed.state !== "Open" ? reachedIndex(view) : -1;
  const position = (name: string) => view.spec.waves.findIndex((wave) => wave.name === name);
  return waves
    .filter(
      (wave, index) =>
        wave.state === "Pending" && ((index === first && isDue(index)) || (wave.name !== EXPOSED && position(wave.name) <= reached)),
    )
    .map(({ name }) => name);
}

function openOrWait(view: RolloutView, name: string, now: Instant): Outcome {
  const before = view.waves.find((wave) => wave.name === name)!;
  const pick = pickFor(view, name, now);
  if (pick.members.length === 0) return withoutMembers(view, before, pick, now);
  const digest = waveDigest(
    view,
    name,
    pick.members.map(({ pop }) => pop.uid),
  );
  const waiting = approve(view, before, digest, now);
  const opens = opensAt(view, pick);
  const holds = [waiting.hold, opens > now ? tooEarly(view, name, pick, opens) : undefined].filter((hold) => hold !== undefined);
  if (holds.length === 0) return open(view, waiting.wave, pick, now);
  const wakes = Number.isFinite(opens) && opens > now ? [opens] : [];
  if (waiting.wave === before) return { holds, wakes };
  return { ledger: withWave(view, waiting.wave), holds, events: waiting.events, wakes };
}

/** The wave with the digest of today and, where one is due, the Approval that names it; kept, once it was used, while the digest stays. */
function approve(
  view: RolloutView,
  before: WaveStatus,
  digest: string,
  now: Instant,
): { readonly wave: WaveStatus; readonly hold?: Hold; readonly events: readonly Announcement[] } {
  const { approval: latched, ...rest } = before;
  const kept = before.digest === digest ? before : { ...rest, digest };
  const ruling = rulingOf(view, "Promote", digest, now);
  const hold = (message: string) => ({ wave: kept, hold: { rule: "F8", reason: "AwaitingApproval" as const, message }, events: [] });
  if (ruling.decision === "Refused") return hold(`wave ${before.name} is refused by ${decidedText(ruling.approval!)}`);
  if (view.spec.waves.find(({ name }) => name === before.name)?.approval !== "Required") return { wave: kept, events: [] };
  if (latched !== undefined && before.digest === digest) return { wave: before, events: [] };
  if (ruling.decision === "None")
    return hold(`wave ${before.name} opens on an Approval with action Promote for digest ${digest}${ignoredText(ruling)}`);
  const { name, spec } = ruling.approval!;
  const approval = { name, by: cleanText(spec.approvedBy, 256), at: iso(now), reason: cleanText(spec.reason, 1024) };
  return {
    wave: { ...kept, approval },
    events: [
      {
        type: "Normal",
        reason: "Approved",
        action: "Approve",
        message: `wave ${before.name} is approved by ${decidedText(ruling.approval!)}`,
      },
    ],
  };
}

/** A day before the first usable window of its PoPs; Infinity when none of them has one. */
const opensAt = (view: RolloutView, { members }: Pick): Instant =>
  view.windowed ? Math.min(...members.map(({ start }) => start ?? Infinity)) - AHEAD : -Infinity;

function tooEarly(view: RolloutView, name: string, { members }: Pick, opens: Instant): Hold {
  const { startDate, endDate } = view.ledger;
  const dates = `from ${startDate ?? "its departure"} until the day before ${endDate ?? "its train is over"}`;
  if (!Number.isFinite(opens))
    return {
      rule: "F1",
      reason: "OutsideWindow",
      message: `none of the PoPs of wave ${name} (${members.length}) has a usable window ${dates}; ${whyNoWindow(
        view,
        members.map(({ pop }) => pop),
      )}`,
    };
  const first = members.toSorted((a, b) => (a.start ?? Infinity) - (b.start ?? Infinity))[0]!.pop.name;
  return {
    rule: "F1",
    reason: "OutsideWindow",
    message: `wave ${name} opens 24 h before the first window of its ${counted(members.length, "PoP")}, that of ${first} at ${iso(opens + AHEAD)}`,
    until: opens,
  };
}

const withWave = (view: RolloutView, wave: WaveStatus) => ({
  ...view.ledger,
  waves: view.waves.map((one) => (one.name === wave.name ? wave : one)),
});

function open(view: RolloutView, wave: WaveStatus, pick: Pick, now: Instant): Outcome {
  const approval = wave.approval?.name ?? view.ledger.emergency?.approval;
  const members = pick.members.map((picked) => assignmentOf(view, picked, wave.name, now, approval));
  const others = otherAssignments(view, pick, wave.name, now);
  const opened: WaveStatus = { ...wave, state: "Open", pops: [...members, ...others].map(({ pop }) => pop), openedAt: iso(now) };
  const names = members.map(({ pop }) => pop);
  const shown = names.length > 8 ? `${names.slice(0, 8).join(", ")} and ${names.length - 8} more` : names.join(", ");
  return {
    ledger: withAssignments(withWave(view, opened), [...view.assignments, ...members, ...others]),
    events: [
      {
        type: view.emergency ? "Warning" : "Normal",
        reason: "WaveOpened",
        action: "OpenWave",
        message: cleanText(`wave ${wave.name} of ${view.version} opens on ${counted(members.length, "PoP")}: ${shown}`, 1024),
      },
    ],
  };
}

/** An empty wave passes without asking anybody (rule G4); who has the version already, or may not get it, is told of in it. */
function withoutMembers(view: RolloutView, before: WaveStatus, pick: Pick, now: Instant): Outcome {
  const others = otherAssignments(view, pick, before.name, now);
  const message = "NoMembers: no PoP is left for it";
  const wave: WaveStatus = {
    ...before,
    state: "Skipped",
    pops: others.map(({ pop }) => pop),
    openedAt: iso(now),
    endedAt: iso(now),
    message,
  };
  return {
    ledger: withAssignments(withWave(view, wave), [...view.assignments, ...others]),
    events: [{ type: "Normal", reason: "WaveOver", action: "CloseWave", message: `wave ${before.name} of ${view.version}: ${message}` }],
  };
}
