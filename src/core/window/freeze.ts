import type { Freeze } from "../../api/common.ts";
import type { Instant } from "../decision.ts";
import { DAY, parseLocalDate } from "../time/civil.ts";
import { endOfLocalDay, startOfLocalDay } from "../time/local-start.ts";
import { LARGEST_OFFSET } from "../time/offsets.ts";

/** A freeze as instants, [from, to). */
export interface FrozenSpan {
  readonly from: Instant;
  readonly to: Instant;
  readonly freeze: Freeze;
}

/** What somebody wants to do; a freeze may let Content pass (rule P15). */
export type FrozenAct = "Disruption" | "Content";

/**
 * The freezes as spans of time (rule W6): both dates are whole local days, inclusive, in the freeze's own zone or else in `zone`, that of
 * the thing frozen. Those over at `from` are left out; so are those that allow the act. The freezes have no problems.
 */
export function frozenSpans(freezes: readonly Freeze[], zone: string, from: Instant, act: FrozenAct = "Disruption"): readonly FrozenSpan[] {
  const spans: FrozenSpan[] = [];
  for (const freeze of freezes) {
    if (act === "Content" && freeze.allow?.includes("Content")) continue;
    const lastDay = parseLocalDate(freeze.to)!;
    // Long over wherever it was meant: years of old freezes cost nothing.
    if ((lastDay + 1) * DAY + LARGEST_OFFSET <= from) continue;
    const frozenZone = freeze.timeZone ?? zone;
    const span = { from: startOfLocalDay(frozenZone, parseLocalDate(freeze.from)!), to: endOfLocalDay(frozenZone, lastDay), freeze };
    // A single day that the zone left out (Samoa 2011-12-30) freezes nothing.
    if (span.to > from && span.to > span.from) spans.push(span);
  }
  return spans.toSorted((a, b) => a.from - b.from);
}

/** The freeze that covers this instant; of several the one that ends last. */
export function activeFreeze(spans: readonly FrozenSpan[], at: Instant): FrozenSpan | undefined {
  let active: FrozenSpan | undefined;
  for (const span of spans) if (span.from <= at && at < span.to && (active === undefined || span.to > active.to)) active = span;
  return active;
}

/** The freeze, if any, into which [start, end) runs: the earliest one that begins after its start and before its end. */
export function freezeThatCuts(spans: readonly FrozenSpan[], start: Instant, end: Instant): FrozenSpan | undefined {
  return spans.find((span) => span.from > start && span.from < end);
}
