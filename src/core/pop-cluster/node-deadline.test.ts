import { describe, expect, it } from "vitest";
import { observation, OPEN } from "../../../test/builders/observation.ts";
import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import { creationDeadline, nodeDeadline } from "./node-deadline.ts";
import { type PopView, viewOf } from "./view.ts";

const MINUTE = 60_000;
const perNode = { expected: "2m", deadline: "5m", soak: "5s", retries: 1 } as const;
const since = new Date(OPEN).toISOString();
const entry: PopNodeStatus = { name: "n1", uid: "uid-n1", step: "Updating", since, attempt: 1 };

/** A PoP whose cluster has answered without a break for `watched` milliseconds. */
const view = (watched: number): PopView =>
  viewOf(
    observation({
      spec: { strategy: { perNode } },
      site: { state: "Reachable", uid: "cluster", ageMilliseconds: 0, watchedMilliseconds: watched },
    }),
  );

describe("the deadline of a node", () => {
  it("[P4] is five minutes after its step began, for an operator that watched all the while", () => {
    expect(nodeDeadline(view(60 * MINUTE), entry, OPEN + MINUTE)).toBe(OPEN + 5 * MINUTE);
    expect(creationDeadline(view(60 * MINUTE), entry, OPEN + MINUTE)).toBe(OPEN + 5 * MINUTE);
  });

  it("[P4] leaves an operator that was away the two expected minutes to see what it has missed", () => {
    const now = OPEN + 30 * MINUTE;
    expect(nodeDeadline(view(0), entry, now)).toBe(now + 2 * MINUTE);
    expect(nodeDeadline(view(MINUTE), entry, now)).toBe(now + MINUTE);
  });

  it("[P6] leaves a cluster that was away the whole five minutes to create the pod: its controllers come back after its API server", () => {
    const now = OPEN + 30 * MINUTE;
    expect(creationDeadline(view(0), entry, now)).toBe(now + 5 * MINUTE);
    expect(creationDeadline(view(4 * MINUTE), entry, now)).toBe(now + MINUTE);
    expect(creationDeadline(view(5 * MINUTE), entry, now)).toBe(now);
  });
});
