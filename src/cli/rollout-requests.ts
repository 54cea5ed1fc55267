import type { PopRollout } from "../api/pop-rollout.ts";

export type RolloutVerb = "stop" | "takeBack" | "retry";
type Refuse = (why: string) => never;

/** What a request would do to a rollout, or a refusal when there is nothing to act on. */
export function rolloutRequest({ spec, status = {} }: PopRollout, verb: RolloutVerb, refuse: Refuse): string {
  const what = spec.version ?? `content ${spec.content?.version ?? ""}`;
  const has = (status.assignments ?? []).filter(({ state }) =>
    ["Rolling", "Baking", "Passed", "Promoted", "Stopped"].includes(state),
  ).length;
  const going = status.outcome === undefined && !status.standing;
  switch (verb) {
    case "stop":
      if (status.stopped) return refuse(`it was stopped already: ${status.stopped.because}`);
      if (!going) return refuse("its waves are over, so there is nothing to stop");
      return `${what} is asked to start on no further PoP`;
    case "takeBack":
      if (status.takenBack) return refuse(`it is being taken back already: ${status.takenBack.because}`);
      if (has === 0) return refuse(`no PoP has ${what}, so there is nothing to take back`);
      return `${what} is asked to be taken back from ${has} PoPs`;
    case "retry": {
      const failed = (status.assignments ?? []).some(({ state }) => ["RolledBack", "RollbackFailed", "Stopped"].includes(state));
      if (!status.halted && !status.stopped && !failed) return refuse("it neither halted nor was stopped, and no PoP failed");
      return `${what} is asked to go on where it ended, the PoPs that failed included`;
    }
  }
}
