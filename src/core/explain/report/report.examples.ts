import { approvalSpec, type Approval } from "../../../api/approval.ts";
import { fleetSpec, type Fleet } from "../../../api/fleet.ts";
import { popClusterSpec, popClusterStatus, type PopCluster } from "../../../api/pop-cluster.ts";
import { popRolloutSpec, type PopRollout } from "../../../api/pop-rollout.ts";
import { popRolloutStatus } from "../../../api/pop-rollout-status.ts";
import type { ReportSubject } from "./subject.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const meta = (name: string, more: object = {}) => ({ name, namespace: "fleet", uid: `uid-${name}`, resourceVersion: "1", ...more });
const API = "rollward.dev/v1alpha1";

const pop = (name: string, timeZone: string, status: object): PopCluster => ({
  apiVersion: API,
  kind: "PoPCluster",
  metadata: meta(name),
  spec: popClusterSpec.parse({
    region: "eu",
    timeZone,
    nodeSelector: {},
    windowRef: { name: "sunday" },
    template: { spec: { containers: [{ name: "c", image: "i" }] } },
  }),
  status: popClusterStatus.parse(status),
});

const assignment = (name: string, wave: string, state: string, since: string, more: object = {}) => ({
  pop: name,
  uid: `uid-${name}`,
  wave,
  version: "2026.11.2",
  class: "Regular",
  announcedAt: "2026-11-13T12:00:00Z",
  order: "Go",
  state,
  since,
  ...more,
});

/** What the checks of ams1 said; whoever writes such a thing must not be able to write the report. */
const HOSTILE = '5xx over 5 % <script>alert(1)</script> | **bold** \u001b[2J\n# not a heading & "quoted"';

/**
 * A rollout over two Sundays, in London and elsewhere: fra1 began on the first and ended on the second, ams1 rolled back, akl1 was
 * pinned by a person, lhr1 waits for the Approval's wave to reach it.
 */
export function twoSundays(changes: { readonly rollout?: object; readonly evidence?: string } = {}): ReportSubject {
  const { evidence = HOSTILE } = changes;
  const fra1 = pop("fra1", "Europe/Berlin", {
    version: "2026.11.2",
    history: [
      // An earlier rollout of the same version is none of this one's.
      { version: "2026.11.2", revision: "r2", startedAt: "2026-10-01T00:00:00Z", endedAt: "2026-10-01T01:00:00Z", outcome: "Stopped" },
      {
        version: "2026.11.2",
        revision: "r2",
        startedAt: "2026-11-22T00:00:00Z",
        endedAt: "2026-12-06T00:00:00Z",
        outcome: "Promoted",
        nodes: 12,
        spent: {
          working: 3 * HOUR,
          window: 6 * DAY + 20 * HOUR,
          people: 0,
          soaking: HOUR,
          until: "2026-11-29T00:00:00Z",
          passedAt: "2026-11-29T00:00:00Z",
        },
      },
    ],
  });
  const ams1 = pop("ams1", "Europe/Amsterdam", {
    version: "2026.11.1",
    revisions: { failed: [{ revision: "r2", version: "2026.11.2", at: "2026-11-29T01:40:00Z", evidence }] },
    history: [
      {
        version: "2026.11.2",
        revision: "r2",
        startedAt: "2026-11-29T01:00:00Z",
        endedAt: "2026-11-29T02:00:00Z",
        outcome: "RolledBack",
        evidence,
        nodes: 4,
        spent: { working: 50 * 60_000, window: 0, people: 10 * 60_000, soaking: 0, until: "2026-11-29T02:00:00Z" },
      },
    ],
  });
  const akl1 = pop("akl1", "Pacific/Auckland", { version: "2026.10.9" });
  const lhr1 = pop("lhr1", "Europe/London", {
    version: "2026.11.1",
    checks: [{ name: "ready", verdict: "Healthy", since: "2026-11-29T02:00:00Z", evidence: "200" }],
    holds: [{ rule: "W4", reason: "OutsideWindow", message: "sunday is closed", until: "2026-12-06T01:00:00Z" }],
    run: {
      id: 2,
      kind: "Roll",
      revision: "r2",
      version: "2026.11.2",
      back: "r1",
      startedAt: "2026-11-29T02:00:00Z",
      state: "Rolling",
      frozen: { members: [{ name: "n1", uid: "n1" }], order: ["n1"] },
      spent: { working: HOUR, window: 0, people: 0, soaking: 0, until: "2026-11-29T03:00:00Z" },
    },
    nodes: [{ name: "n1", uid: "n1", step: "Pending", since: "2026-11-29T02:00:00Z", revision: "r1" }],
  });
  const rollout: PopRollout = {
    apiVersion: API,
    kind: "PoPRollout",
    metadata: meta("r-2026-11-2", { creationTimestamp: "2026-11-13T12:00:00Z" }),
    spec: popRolloutSpec.parse({
      version: "2026.11.2",
      requestedBy: "release@example.com",
      announcedAt: "2026-11-13T12:00:00Z",
      failureBudget: { pops: 1 },
      waves: [
        { name: "canary", pops: { count: 1 }, bake: "4h" },
        { name: "rest", pops: { percent: 100 }, approval: "Required" },
      ],
    }),
    status: popRolloutStatus.parse({
      startDate: "2026-11-22",
      endDate: "2026-12-06",
      numbers: { pops: 4, passed: 1, open: 1, failed: 1, skipped: 1 },
      stages: [{ name: "ci", state: "Passed", since: "2026-11-14T08:00:00Z", evidence: "200 of https://ci.example.com/2026.11.2" }],
      waves: [
        { name: "canary", state: "Passed", pops: ["fra1"], openedAt: "2026-11-20T00:00:00Z", endedAt: "2026-11-29T00:00:00Z" },
        {
          name: "rest",
          state: "Open",
          pops: ["ams1", "lhr1"],
          openedAt: "2026-11-29T00:30:00Z",
          approval: { name: "a1", by: "second@example.com", at: "2026-11-29T00:20:00Z", reason: "canary is fine" },
        },
      ],
      assignments: [
        assignment("lhr1", "rest", "Rolling", "2026-11-29T02:00:00Z"),
        assignment("fra1", "canary", "Promoted", "2026-12-06T00:00:00Z"),
        assignment("ams1", "rest", "RolledBack", "2026-11-29T02:00:00Z", { message: "5xx" }),
        assignment("akl1", "rest", "Skipped", "2026-11-29T00:30:00Z", { reason: "PinnedByPerson", message: "a person pinned 2026.10.9" }),
      ],
      holds: [{ rule: "F1", reason: "OutsideWindow", message: "PoP lhr1 waits for its window", until: "2026-12-06T01:00:00Z" }],
      ...changes.rollout,
    }),
  };
  const approval: Approval = {
    apiVersion: API,
    kind: "Approval",
    metadata: meta("a1", { creationTimestamp: "2026-11-29T00:20:00Z" }),
    spec: approvalSpec.parse({
      for: { kind: "PoPRollout", name: "r-2026-11-2", uid: "uid-r-2026-11-2", digest: `sha256:${"a".repeat(64)}` },
      actions: ["Promote"],
      decision: "Approve",
      reason: "canary is fine",
      approvedBy: "second@example.com",
      expiresAt: "2026-12-31T00:00:00Z",
    }),
    status: { used: [{ action: "Promote", at: "2026-11-29T00:30:00Z", for: "wave rest" }] },
  };
  const fleet: Fleet = {
    apiVersion: API,
    kind: "Fleet",
    metadata: meta("fleet"),
    spec: fleetSpec.parse({ freezes: [{ name: "black-friday", from: "2026-11-27", to: "2026-11-28", reason: "sales" }] }),
  };
  return {
    rollout,
    pops: [fra1, ams1, akl1, lhr1],
    approvals: [approval, { ...approval, spec: { ...approval.spec, for: { ...approval.spec.for, uid: "another" } } }],
    fleet,
  };
}
