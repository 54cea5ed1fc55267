import { canonicalJson } from "../canonical-json.ts";
import type { Instant } from "../decision.ts";
import { stableHash } from "../rollout/order.ts";
import type { RolloutView } from "../socket/rollout-view.ts";
import { MINUTE, WEEK } from "../time/civil.ts";
import { parseDuration } from "../time/duration.ts";
import { frozenSpans } from "../window/freeze.ts";
import type { UsableOccurrence } from "../window/last-start.ts";
import { effectiveNotice } from "../window/notice.ts";
import { windowZone } from "../window/parse.ts";
import { nextUsableStart, type WindowSearch } from "../window/search.ts";
import { spreadStart } from "../window/spread.ts";
import { lastStartOf, pieceOf, timesOf } from "./piece.ts";
import type { SiteView, SocketView } from "./view.ts";

/** The search in the site's window from an instant on; undefined where the window cannot be read (rule W10). */
export function searchOf(view: SiteView, piece: number, from: Instant): WindowSearch | undefined {
  const spec = view.seen.window?.spec;
  if (spec === undefined || view.problems.some(({ reason }) => reason === "WindowInvalid")) return undefined;
  const freezes = [...(spec.freezes ?? []), ...(view.seen.fleet?.freezes ?? [])];
  return { spec, zone: windowZone(spec, view.zone)!, piece, spans: frozenSpans(freezes, view.zone, from - 4 * WEEK) };
}

/** The next occurrence that starts at or after an instant and holds these Sockets (rules W3, W4, W6). */
export function nextOccurrence(
  view: SiteView,
  rollout: RolloutView,
  sockets: readonly SocketView[],
  notBefore: Instant,
): UsableOccurrence | undefined {
  const search = searchOf(view, pieceOf(rollout, sockets), notBefore);
  return search && nextUsableStart(search, notBefore);
}

/** The notice that this site was promised, in milliseconds: the provider's floor, or the window's own if longer (rule W3). */
export const noticeOf = ({ seen }: SiteView): number =>
  effectiveNotice(
    seen.fleet?.minimumNotice ?? 0,
    seen.window?.spec?.notice === undefined ? undefined : parseDuration(seen.window.spec.notice),
  );

/** Digest of all that a planned start is computed from (rule W7). */
export const planRule = ({ seen, zone }: SiteView): string =>
  stableHash([
    canonicalJson(seen.window?.spec),
    seen.window?.from ?? "",
    seen.window?.name ?? "",
    zone,
    seen.fleet?.minimumNotice ?? 0,
    canonicalJson(seen.fleet?.freezes ?? []),
    seen.tzdata,
  ]);

const LEAST_MARGIN = 5 * MINUTE;

/**
 * The site's own start in an occurrence (rule W11). A last part of [start, last start] stays free: of a pair the first Socket is verified
 * before the second may start, and a device has to ask before its last start is over.
 */
export function ownStart(view: SiteView, rollout: RolloutView, sockets: readonly SocketView[], occurrence: UsableOccurrence): Instant {
  const { start } = occurrence;
  if (view.ledger.putOff !== undefined && start - Date.parse(view.ledger.putOff.at) < 2 * WEEK) return start;
  const room = Math.max(0, lastStartOf(view, occurrence) - start - (sockets.length - 1) * timesOf(rollout).verify);
  const margin = Math.min(room, Math.max(LEAST_MARGIN, room / 4));
  return spreadStart(view.seen.site.uid, rollout.revision, { start, lastStart: start + room - margin });
}
