import type { SocketSiteStatus } from "../../api/socket-site.ts";
import { parseVersion, satisfies, socketMajor } from "../../api/version.ts";
import type { Announcement, Instant } from "../decision.ts";
import { stableHash } from "../rollout/order.ts";
import { describeInstant } from "../time/format.ts";
import { remedyOf } from "./candidate.ts";
import { haChecks, haStatus } from "./ha-checks.ts";
import { higherAndLower, type MixedPair } from "./majors.ts";
import type { Outcome } from "./outcome.ts";
import { at, iso, type SiteView } from "./view.ts";

type HA = NonNullable<SocketSiteStatus["ha"]>;
export type Story = NonNullable<HA["story"]>;

export const STORY_TITLE = "HA Status is not ready";
const MOST_HISTORY = 5;
const MOST_MAJORS = 64;

/**
 * The checks of the pair and its story (rule S6). The story opens when the pair is on two majors and no step of ours runs or can still
 * start in this window, and closes by itself; its history stays.
 */
export function ha(view: SiteView, now: Instant): Outcome {
  const { ha: before, ...rest } = view.ledger;
  const history = before?.history ?? [];
  const checks = haChecks(view);
  if (!view.pair) {
    // A Socket was taken out of the site: there is no pair that could be on two majors.
    const closed = before?.story === undefined ? history : resolved(before.story, history, now);
    return {
      ledger: closed.length === 0 ? rest : { ...rest, ha: { status: "Unknown", checks: [], history: [...closed] } },
      events: told(before, undefined),
    };
  }
  const compatible = checks.find(({ name }) => name === "CompatibleVersion")!.status;
  const mixed = higherAndLower(view.sockets);
  const next =
    compatible === "NotReady" && mixed !== undefined
      ? storyOf(view, mixed, before?.story, now)
      : compatible === "Ready"
        ? undefined
        : before?.story;
  const closed = next === undefined && before?.story !== undefined ? resolved(before.story, history, now) : history;
  const shown: HA = {
    status: haStatus(checks),
    checks: [...checks],
    ...(next === undefined ? {} : { story: next }),
    ...(closed.length === 0 ? {} : { history: [...closed] }),
  };
  return { ledger: { ...rest, ha: shown }, events: told(before, next) };
}

const resolved = (story: Story, history: readonly Story[], now: Instant): readonly Story[] =>
  [{ ...story, resolvedAt: iso(now) }, ...history].slice(0, MOST_HISTORY);

function told(before: HA | undefined, next: Story | undefined): readonly Announcement[] {
  if (next !== undefined && before?.story === undefined) {
    const { lower, higher } = next;
    const message = `${STORY_TITLE}: ${lower.serial} runs ${lower.version}, ${higher.serial} ${higher.version}; ${next.steps[0] ?? ""}`;
    return [{ type: "Warning", reason: "StoryOpened", action: "Judge", message }];
  }
  if (next !== undefined || before?.story === undefined) return [];
  return [
    { type: "Normal", reason: "StoryResolved", action: "Judge", message: `${STORY_TITLE}: resolved; both Sockets run the same major` },
  ];
}

function storyOf(view: SiteView, { lower, higher }: MixedPair, before: Story | undefined, now: Instant): Story {
  const openedAt = before?.openedAt ?? iso(now);
  const majors = missingMajors(socketMajor(lower.version!), socketMajor(higher.version!));
  const features = view.seen.features
    .filter(({ needs }) => !satisfies(lower.version!, needs) && satisfies(higher.version!, needs))
    .map(({ key }) => key)
    .toSorted();
  const remedy = remedyFor(view, { lower, higher });
  return {
    id: before?.id ?? stableHash([view.seen.site.uid, "story", openedAt], 26),
    title: STORY_TITLE,
    openedAt,
    severity: lower.state === "Active" ? "Degraded" : "AtRisk",
    lower: { serial: lower.serial, version: lower.version!.text },
    higher: { serial: higher.serial, version: higher.version!.text },
    missingMajors: majors,
    ...(features.length === 0 ? {} : { features: features.slice(0, 32) }),
    steps: stepsOf(view, { lower, higher }, remedy),
    remedy,
  };
}

function missingMajors(lower: number, higher: number): number[] {
  const count = Math.min(MOST_MAJORS, higher - lower);
  return Array.from({ length: count }, (_, index) => higher - count + 1 + index);
}

/** Upgrade the lower one, as planned or on request; or wait for a version that has not failed (rule S7). */
function remedyFor(view: SiteView, { lower }: MixedPair): NonNullable<Story["remedy"]> {
  const { upgrade } = view;
  const planned = upgrade?.planned?.start !== undefined && lower.version !== undefined && isFor(view, lower.serial);
  if (planned) {
    const { version, start, planned: plan } = upgrade;
    return { action: "Upgrade", serial: lower.serial, version, at: start ?? plan!.start! };
  }
  const found = remedyOf(view);
  if (found === undefined) return { action: "AwaitFixedVersion", serial: lower.serial };
  return { action: "Upgrade", serial: lower.serial, version: found.rollout.spec.version };
}

/** The plan brings this Socket to the other's major. */
function isFor({ upgrade, sockets }: SiteView, serial: string): boolean {
  const target = parseVersion(upgrade!.version);
  const other = sockets.find((socket) => socket.serial !== serial)?.version;
  return target !== undefined && other !== undefined && socketMajor(target) >= socketMajor(other);
}

function stepsOf({ zone, seen }: SiteView, { lower, higher }: MixedPair, remedy: NonNullable<Story["remedy"]>): string[] {
  if (remedy.action === "AwaitFixedVersion") {
    const wait = `Wait for a fixed version: no version of major ${socketMajor(higher.version!)} that may be installed on ${lower.serial} is offered.`;
    return [wait, `Leave ${higher.serial} as it is: it is never taken back to ${lower.version!.text}.`];
  }
  const { serial, version, at: when } = remedy;
  const request = `upgradeNow with serial ${serial} and version ${version} does it at once, while the other Socket is connected.`;
  if (when !== undefined)
    return [
      `${serial} is upgraded to ${version} ${describeInstant(at(when), zone)}; nothing has to be done.`,
      `To have it earlier: ${request}`,
    ];
  const why = seen.policy.haRemediation === "Manual" ? "the account's policy leaves it to people" : "no start in the window is known yet";
  return [`Upgrade ${serial} to ${version}: ${why}. ${request}`];
}
