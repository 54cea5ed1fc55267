import type { FleetStatus } from "../../api/fleet.ts";
import type { Announcement, Decision, Hold, Instant } from "../decision.ts";
import { freezeProblems } from "../window/parse.ts";
import { nextDepartures } from "./departures.ts";
import { grant, type Granting } from "./grants.ts";
import type { FleetObservation } from "./observation.ts";
import { pauseOf } from "./pause.ts";
import { statusOf } from "./status.ts";
import { strike, type Struck } from "./strike.ts";

/**
 * Who may disrupt (rule G14): strikes grants that are over, gives new ones within the limits, and tells what stands. The status is
 * the ledger: it must be written conditional on the version that was observed. No action beside it.
 */
export function decide(seen: FleetObservation, now: Instant): Decision<FleetStatus, never> {
  const problems = freezeProblems(seen.fleet.spec.freezes ?? [], "spec.freezes");
  const pause = pauseOf(seen, now);
  const departures = nextDepartures(seen.fleet.spec, now);
  const { kept, struck } = strike(seen);
  const brake = pause.hold ?? unreadable(problems);
  const granting = grant(seen, kept, brake, now);
  const wakes = [pause.wakeAt, departures.until, granting.wakeAt].filter((wake) => wake !== undefined);
  return {
    status: statusOf(seen, { kept, ...granting }, pause, problems, departures.dates, now),
    actions: [],
    events: announcements(struck, granting),
    probes: [],
    holds: brake ? [brake] : [],
    ...(wakes.length > 0 ? { wakeAt: Math.min(...wakes) } : {}),
  };
}

/** A freeze that cannot be read may be on: in doubt, hold (rules G9, W10). */
function unreadable(problems: readonly string[]): Hold | undefined {
  if (problems.length === 0) return undefined;
  return {
    rule: "W10",
    reason: "WindowInvalid",
    message: `the Fleet's freezes cannot be read, so nothing rolls forward: ${problems.join("; ")}`,
  };
}

function announcements(struck: readonly Struck[], { granted }: Granting): readonly Announcement[] {
  const over = struck.map(({ entry, because }): Announcement => ({
    type: "Normal",
    reason: "GrantEnded",
    action: "Strike",
    message: `Grant ${entry.id} of PoP ${entry.pop} (${entry.kind}) is over: ${because}.`,
  }));
  const given = granted.map(({ pop, region, kind, id }): Announcement => {
    const where = region === undefined ? "" : ` of region ${region}`;
    return { type: "Normal", reason: "Granted", action: "Grant", message: `PoP ${pop}${where} may disrupt (${kind}, grant ${id}).` };
  });
  return [...over, ...given];
}
