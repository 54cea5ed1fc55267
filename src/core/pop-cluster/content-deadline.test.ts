import { describe, expect, it } from "vitest";
import { observation, TUESDAY } from "../../../test/builders/observation.ts";
import { content } from "./content.ts";
import { viewOf } from "./view.ts";

const MINUTE = 60_000;
const spec = {
  content: {
    version: "sig.419",
    load: { http: { port: 8080, path: "/content" } },
    health: [{ name: "content", http: { port: 8080, path: "/healthz?content" } }],
  },
};
const since = new Date(TUESDAY).toISOString();
const nodes = [{ name: "n1", uid: "uid-n1", version: "sig.419", since }];

/** Node n1 took the content on Tuesday at noon, and nothing has answered since; an operator that has looked on for `watched` milliseconds. */
function judged(watched: number, now: number) {
  const { pop } = observation();
  const status = { ...pop.status, content: { current: "sig.418", target: "sig.419", state: "Loading" as const, since, nodes } };
  const site = { state: "Reachable" as const, uid: "cluster", ageMilliseconds: 0, watchedMilliseconds: watched };
  return content(viewOf(observation({ spec, status, site })), now);
}

describe("[G3] the health deadline of content", () => {
  it("is five minutes after the node took it, for an operator that watched all the while", () => {
    expect(judged(60 * MINUTE, TUESDAY + 4 * MINUTE)?.holds?.[0]).toMatchObject({ reason: "HealthUnknown", until: TUESDAY + 5 * MINUTE });
    expect(judged(60 * MINUTE, TUESDAY + 5 * MINUTE)?.ledger?.content?.state).toBe("RollingBack");
  });

  it("leaves an operator that was away five minutes of its own before content that nobody has judged goes back", () => {
    const back = TUESDAY + 30 * MINUTE;
    const first = judged(0, back);
    expect([first?.ledger, first?.holds?.[0]?.until]).toEqual([undefined, back + 5 * MINUTE]);
    expect(judged(4 * MINUTE, back + 4 * MINUTE)?.ledger).toBeUndefined();
    expect(judged(5 * MINUTE, back + 5 * MINUTE)?.ledger?.content?.state).toBe("RollingBack");
  });
});
