import type { SocketSite, SocketSiteStatus } from "../../api/socket-site.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import type { SocketRollout } from "../../api/socket-rollout.ts";
import { isReached, placeInRamp, stepsToCome } from "../rollout/ramp-steps.ts";
import { cleanText } from "../text.ts";
import { formatInstant } from "../time/instant.ts";
import { holdText, type ShownHold } from "./hold-lines.ts";
import { asKnown, type KnownSite } from "./known-site.ts";
import { momentText } from "./moment.ts";
import { storyLines } from "./story.ts";

type Upgrade = NonNullable<SocketSiteStatus["upgrade"]>;

const STEPS = {
  Announced: "is announced",
  Scheduled: "is planned",
  InProgress: "is being installed",
  Verifying: "is being verified",
  Completed: "is installed",
  Skipped: "was skipped",
  Failed: "failed",
} as const satisfies Record<Upgrade["step"], string>;

const DECIDED = {
  release: "it is the release's own date",
  seen: "the operator first saw the rollout then",
  rampOpened: "the ramp reached the site then",
  noticeAcceptedAt: "the account was told then",
} as const satisfies Record<NonNullable<Upgrade["announced"]>["decidedBy"], string>;

/** What besides the site itself tells about it; each may be left out. */
export interface BesideSite {
  /** The SocketRollouts, for when the step of its ramp opens: sites do not write that, it would be a write of each at each step (G11). */
  readonly rollouts?: readonly SocketRollout[];
  /** What the inventory knows now, while the status rests. */
  readonly known?: KnownSite;
}

/** Why the site is not upgraded yet, and when; its Sockets; of a pair whether one can take over (rule G2). */
export function explainSocketSite({ metadata, spec, status: written }: SocketSite, { rollouts = [], known }: BesideSite = {}): Explanation {
  const subject = `SocketSite ${metadata.namespace ?? ""}/${metadata.name}`;
  if (written === undefined) return explanation(`${subject} has no status yet: no operator has looked at it`, []);
  const zone = spec.timeZone;
  const status = asKnown(written, known);
  const { upgrade, holds = [], ha, sockets = [], next = [], conditions = [], verdicts = [] } = status;
  const isBlocked = conditions.some(({ type, status: is }) => type === "Accepted" && is === "False");
  const atRest = known === undefined ? upgrade?.command && restsSince(upgrade) : undefined;
  return explanation(`${subject} ${runsSentence(status, atRest, zone)}; ${upgradeSentence(upgrade, zone, isBlocked)}`, [
    ["Attention", [...unseenChange(metadata.generation, status.observedGeneration), ...troubles(conditions), ...restLines(atRest, zone)]],
    [
      "Waits for",
      holds.flatMap((hold, index) => [`${index + 1}. ${holdText(hold, zone)}`, ...rampLines(metadata.uid, hold, rollouts, zone)]),
    ],
    ["Upgrade", upgradeLines(upgrade, zone, known)],
    ["Sockets", sockets.map((socket) => socketLine(socket, zone, known))],
    [
      "High availability",
      (ha?.checks ?? []).map(({ name, status: is, message }) => `${name}: ${is}${message === undefined ? "" : ` (${message})`}`),
    ],
    ["Story", ha?.story === undefined ? [] : storyLines(ha.story, zone)],
    ["Stories before", (ha?.history ?? []).flatMap((story) => storyLines(story, zone))],
    [
      "Verdicts",
      verdicts.map(
        ({ serial, revision, failedWindows, failed, reason }) =>
          `${revision} on ${serial}: failed in ${failedWindows === 1 ? "one window" : `${failedWindows} windows`} (${reason}); ${failed ? "not tried again" : "tried once more"}`,
      ),
    ],
    [
      "Next windows",
      next.map(({ localStart, start, end, note }) => `${localStart} (${start} to ${end})${note === undefined ? "" : `, ${note}`}`),
    ],
  ]);
}

/** Since when the status of a site rests whose Socket has a command in hand: what changes by the minute is not written (rule B12). */
const restsSince = ({ command, since }: Upgrade): string => (command!.claimedAt > since ? command!.claimedAt : since);

function runsSentence(
  { lowestVersion, sockets = [] }: NonNullable<SocketSite["status"]>,
  atRest: string | undefined,
  zone: string,
): string {
  if (lowestVersion === undefined) return "has not said what it runs";
  if (atRest !== undefined) return `ran ${lowestVersion} ${momentText(atRest, zone)}`;
  const versions = [...new Set(sockets.flatMap(({ version }) => version ?? []))];
  return `runs ${versions.length === 0 ? lowestVersion : versions.join(" and ")}`;
}

const restLines = (atRest: string | undefined, zone: string): readonly string[] =>
  atRest === undefined
    ? []
    : [
        `What its Sockets run and how far the one in hand is, is as of ${momentText(atRest, zone)}: the status rests until that one is done. The inventory knows more: name it with --inventory.`,
      ];

/** When the ramp comes to a site that is not in it yet, if nothing holds it (rules S10, G7). */
function rampLines(
  siteUid: string,
  { rule, reason, message }: ShownHold,
  rollouts: readonly SocketRollout[],
  zone: string,
): readonly string[] {
  const rollout = rollouts.find(({ metadata }) => message.includes(`(SocketRollout ${metadata.name})`));
  const ramp = rollout?.status?.ramp;
  if (rule !== "S10" || reason !== "NotInRamp" || rollout === undefined || ramp === undefined) return [];
  const place = placeInRamp(siteUid, { uid: rollout.metadata.uid, version: rollout.spec.version });
  const step = stepsToCome(rollout.spec.ramp, ramp).find(({ percent }) => isReached(place, percent));
  if (step === undefined) return ["None of its steps takes this site; raise the last one to 100 for that."];
  const about = `It is among the sites of the step to ${step.percent} %`;
  if (step.at === undefined) return [`${about}; when that opens nobody knows while something holds the ramp.`];
  return [`${about}, which opens ${momentText(formatInstant(step.at), zone)} if nothing holds the ramp; its notice counts from then.`];
}

function upgradeSentence(upgrade: Upgrade | undefined, zone: string, isBlocked: boolean): string {
  if (upgrade === undefined) return "nothing is planned for it";
  const { version, step, start, planned } = upgrade;
  if (isBlocked && (step === "Scheduled" || step === "Announced"))
    return `${version} was announced, and nothing starts until what is named below is corrected`;
  const when = planned?.start === undefined ? undefined : momentText(start ?? planned.start, zone);
  if (step === "Scheduled" || step === "Announced") return `${version} ${STEPS[step]}${when === undefined ? "" : ` for ${when}`}`;
  const again = (step === "Skipped" || step === "Failed") && when !== undefined ? `, and is tried again ${when}` : "";
  return `${version} ${STEPS[step]}${again}`;
}

function upgradeLines(upgrade: Upgrade | undefined, zone: string, known: KnownSite | undefined): string[] {
  if (upgrade === undefined) return [];
  const { cause, rollout, announced, planned, notice, window, lastStart, order, done = [], command, message, change } = upgrade;
  const why = {
    Rollout: `SocketRollout ${rollout.name}`,
    Remedy: `the remedy of a pair on two majors, by SocketRollout ${rollout.name}`,
    Request: "a person asked for it",
  };
  const lines = [`Why: ${why[cause]}.`];
  if (announced !== undefined && planned !== undefined) {
    lines.push(`Announced: ${momentText(planned.announcedAt, zone)}, ${DECIDED[announced.decidedBy]}, and the notice counts from it.`);
  }
  if (notice !== undefined && announced?.noticeAcceptedAt === undefined)
    lines.push("Notice: no channel has taken it yet; it is sent until one does.");
  if (window !== undefined) {
    const last = lastStart === undefined ? "" : `, last start ${momentText(lastStart, zone)}`;
    lines.push(`Window: ${momentText(window.start, zone)} to ${momentText(window.end, zone)}${last}.`);
  }
  if (change !== undefined)
    lines.push(`A change of the plan was seen ${momentText(change.since, zone)}; it counts when it has rested an hour.`);
  if (order !== undefined && order.length > 1) lines.push(`Order: ${order.join(", then ")}.`);
  if (done.length > 0) lines.push(`Done: ${done.join(" and ")}.`);
  if (command !== undefined) {
    lines.push(
      `In hand: ${command.serial}, to be fetched between ${momentText(command.notBefore, zone)} and ${momentText(command.notAfter, zone)} (${rowText(command, known, zone)}).`,
    );
  }
  if (message !== undefined) lines.push(`Last: ${message}.`);
  return lines;
}

/** How far the command is, as the inventory knows it; else what was true when the status came to rest. */
function rowText({ state, claimedAt }: NonNullable<Upgrade["command"]>, known: KnownSite | undefined, zone: string): string {
  const moment = (instant: number): string => momentText(formatInstant(instant), zone);
  if (known === undefined) return `${state} as of ${momentText(claimedAt, zone)}`;
  const { command } = known;
  if (command === undefined) return "the inventory has lost it, so it counts as given";
  const { givenAt, proceedingAt, endedAt, said } = command;
  const facts = [
    givenAt === undefined ? "nobody has fetched it" : `fetched ${moment(givenAt)}`,
    ...(proceedingAt === undefined ? [] : [`installing since ${moment(proceedingAt)}`]),
    ...(endedAt === undefined ? [] : [`${command.state} ${moment(endedAt)}`]),
    ...(said === undefined ? [] : [`it said: ${cleanText(said, 256)}`]),
  ];
  return facts.join(", ");
}

function socketLine(
  { serial, role, state, model, version, connected, unstable, lastAttempt }: NonNullable<SocketSiteStatus["sockets"]>[number],
  zone: string,
  known: KnownSite | undefined,
): string {
  const polled = known?.sockets.find((one) => one.serial === serial)?.polledMilliseconds;
  const heard = polled === undefined ? "" : `, polled ${Math.round(polled / 1_000)} s ago`;
  const is = `${role}, ${state}, ${connected ? (unstable === true ? "connected but unstable" : "connected") : "not connected"}`;
  const last =
    lastAttempt === undefined
      ? ""
      : `; ${lastAttempt.version} ${lastAttempt.outcome.toLowerCase()}${lastAttempt.reason === undefined ? "" : ` (${lastAttempt.reason})`} ${momentText(lastAttempt.endedAt, zone)}`;
  return `${serial}${model === undefined ? "" : ` ${model}`} runs ${version ?? "an unknown version"}: ${is}${heard}${last}`;
}
