import { expect, it } from "vitest";
import type { SocketSite } from "../../api/socket-site.ts";
import { berlin } from "../socket-site/socket-site.examples.ts";
import { rolloutView } from "../socket/rollout-view.examples.ts";
import { contributionOf } from "./contribution.ts";

type Status = NonNullable<SocketSite["status"]>;
type Upgrade = NonNullable<Status["upgrade"]>;

const ROLLOUT = rolloutView();
const { spec } = berlin().site;

/** Berlin, as it reports these versions. */
const site = (versions: readonly [string, string], status: Partial<Status> = {}, given: Partial<SocketSite["spec"]> = {}) => ({
  metadata: { namespace: "acme", name: "berlin", uid: "site-berlin", resourceVersion: "1" },
  spec: { ...spec, ...given },
  status: {
    sockets: spec.sockets.map(({ serial, role }, nth) => ({
      serial,
      role,
      state: "Standby" as const,
      version: versions[nth]!,
      connected: true,
    })),
    ...status,
  },
});

const upgrade = (given: Partial<Upgrade>): Upgrade => ({
  version: "18.3.3",
  rollout: { name: ROLLOUT.name, uid: ROLLOUT.uid },
  cause: "Rollout",
  step: "Scheduled",
  since: "2026-11-20T09:00:00Z",
  ...given,
});

const count = (...given: Parameters<typeof site>) => contributionOf(site(...given), ROLLOUT);

it("[S10] a rollout applies where model, versions and maximumVersion allow it, and nowhere else", () => {
  expect(count(["17.2", "17.2"])).toMatchObject({ asks: true, confirmed: false, offered: false });
  expect(count(["18.3.3", "18.3.3"])).toMatchObject({ asks: false, confirmed: true });
  expect(count(["15.9", "17.2"])).toBeUndefined();
  expect(count(["17.2", "19.0"])).toBeUndefined();
  expect(count(["17.2", "17.2"], {}, { maximumVersion: "18.3.2" })).toBeUndefined();
  expect(contributionOf(site(["17.2", "17.2"]), { ...ROLLOUT, spec: { ...ROLLOUT.spec, models: ["X1500"] } })).toBeUndefined();
  expect(contributionOf({ ...site(["17.2", "17.2"]), status: {} }, ROLLOUT)).toBeUndefined();
});

it("[S10] honest numbers: offered is not attempted, attempted is not confirmed, what was not reached is no success", () => {
  const command = { id: "c", serial: "S-2001", version: "18.3.3", notBefore: "", notAfter: "", claimedAt: "", state: "Open" } as const;
  expect(count(["17.2", "17.2"], { upgrade: upgrade({ step: "InProgress", command }) })).toMatchObject({ offered: true, attempted: false });
  const done = upgrade({ step: "InProgress", done: ["S-2001"] });
  expect(count(["18.3.3", "17.2"], { upgrade: done })).toMatchObject({ offered: true, attempted: true, confirmed: false });
  // Both run it, and the second one is not verified yet.
  expect(count(["18.3.3", "18.3.3"], { upgrade: done })).toMatchObject({ confirmed: false });
  expect(count(["18.3.3", "18.3.3"], { upgrade: { ...done, step: "Completed" } })).toMatchObject({ confirmed: true });
  const skipped = upgrade({ step: "Skipped", reason: "NotConnected" });
  expect(count(["17.2", "17.2"], { upgrade: skipped })).toMatchObject({ unreachable: true, attempted: false });
});

it("[S10] [G8] a failure of this revision counts until the Socket runs the version; one of another revision does not", () => {
  const verdict = { serial: "S-2001", failedWindows: 1, failed: false, at: "2026-11-22T00:00:00Z", reason: "InstallFailed" };
  const verdicts = [{ ...verdict, revision: ROLLOUT.revision }];
  expect(count(["17.2", "17.2"], { verdicts })).toMatchObject({ failed: true, attempted: true, asks: false });
  expect(count(["18.3.3", "18.3.3"], { verdicts })).toMatchObject({ failed: false });
  expect(count(["17.2", "17.2"], { verdicts: [{ ...verdict, revision: "18.3.3-other" }] })).toMatchObject({ failed: false, asks: true });
});

it("[G4] a site with a plan of this rollout is in its ramp and asks for nothing; one with another's asks", () => {
  const window = { start: "2026-11-29T00:00:00Z", end: "2026-11-29T02:00:00Z" };
  const planned = { start: window.start, announcedAt: "2026-11-20T09:00:00Z", rule: "r" };
  expect(count(["17.2", "17.2"], { upgrade: upgrade({ planned, window }) })).toMatchObject({
    bucket: 0,
    asks: false,
    plannedEnd: Date.parse(window.end),
  });
  const other = upgrade({ rollout: { name: "socket-17-9", uid: "another" } });
  expect(count(["17.2", "17.2"], { upgrade: other })).toMatchObject({ asks: true });
});
