import type { SocketSite, SocketSiteStatus } from "../../api/socket-site.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import { holdLines } from "./hold-lines.ts";
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

/** Why the site is not upgraded yet, and when; its Sockets; of a pair whether one can take over (rule G2). */
export function explainSocketSite({ metadata, spec, status }: SocketSite): Explanation {
  const subject = `SocketSite ${metadata.namespace ?? ""}/${metadata.name}`;
  if (status === undefined) return explanation(`${subject} has no status yet: no operator has looked at it`, []);
  const zone = spec.timeZone;
  const { upgrade, holds = [], ha, sockets = [], next = [], conditions = [], verdicts = [] } = status;
  const runs = status.lowestVersion === undefined ? "has not said what it runs" : `runs ${status.lowestVersion}`;
  return explanation(`${subject} ${runs}; ${upgradeSentence(upgrade, zone)}`, [
    ["Attention", [...unseenChange(metadata.generation, status.observedGeneration), ...troubles(conditions)]],
    ["Waits for", holdLines(holds, zone)],
    ["Upgrade", upgradeLines(upgrade, zone)],
    ["Sockets", sockets.map((socket) => socketLine(socket, zone))],
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

function upgradeSentence(upgrade: Upgrade | undefined, zone: string): string {
  if (upgrade === undefined) return "nothing is planned for it";
  const { version, step, start, planned } = upgrade;
  const when = planned?.start === undefined ? undefined : momentText(start ?? planned.start, zone);
  if (step === "Scheduled" || step === "Announced") return `${version} ${STEPS[step]}${when === undefined ? "" : ` for ${when}`}`;
  const again = (step === "Skipped" || step === "Failed") && when !== undefined ? `, and is tried again ${when}` : "";
  return `${version} ${STEPS[step]}${again}`;
}

function upgradeLines(upgrade: Upgrade | undefined, zone: string): string[] {
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
      `In hand: ${command.serial}, to be fetched between ${momentText(command.notBefore, zone)} and ${momentText(command.notAfter, zone)} (${command.state}).`,
    );
  }
  if (message !== undefined) lines.push(`Last: ${message}.`);
  return lines;
}

function socketLine(
  { serial, role, state, model, version, connected, unstable, lastAttempt }: NonNullable<SocketSiteStatus["sockets"]>[number],
  zone: string,
): string {
  const is = `${role}, ${state}, ${connected ? (unstable === true ? "connected but unstable" : "connected") : "not connected"}`;
  const last =
    lastAttempt === undefined
      ? ""
      : `; ${lastAttempt.version} ${lastAttempt.outcome.toLowerCase()}${lastAttempt.reason === undefined ? "" : ` (${lastAttempt.reason})`} ${momentText(lastAttempt.endedAt, zone)}`;
  return `${serial}${model === undefined ? "" : ` ${model}`} runs ${version ?? "an unknown version"}: ${is}${last}`;
}
