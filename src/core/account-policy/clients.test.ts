import { describe, expect, it } from "vitest";
import { type AccountPolicyStatus, accountPolicySpec, accountPolicyStatus } from "../../api/account-policy.ts";
import type { ClientNumbers, ClientRolloutStatus } from "../../api/client-rollout.ts";
import { ANNOUNCED, clientRollout, inPhase, inStage } from "../client/client.examples.ts";
import { DAY, HOUR, SECOND } from "../time/civil.ts";
import { clientsOf } from "./clients.ts";
import { decide } from "./decide.ts";
import type { AccountPolicyObservation, AccountRollout, SeenClients } from "./observation.ts";

const NOON = Date.parse(ANNOUNCED) + 3 * HOUR;
const NOBODY: ClientNumbers = { eligible: 0, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 };
const PAUSE = { version: "5.12.3", reason: "audit week" };

interface Given {
  readonly windows?: object;
  readonly generation?: number;
  readonly before?: AccountPolicyStatus["clients"];
  readonly status?: ClientRolloutStatus;
  readonly rollouts?: readonly AccountRollout[];
  readonly pilots?: Partial<ClientNumbers>;
  readonly replicas?: SeenClients["replicas"];
  readonly policyTwice?: boolean;
}

function seen(given: Given = {}): AccountPolicyObservation {
  const { windows = { upgrade: "Automatic" }, generation = 4, before, status = inStage("Pilot"), pilots } = given;
  const numbers = pilots && { all: { ...NOBODY, eligible: 30, ...pilots }, pilots: { ...NOBODY, ...pilots } };
  const rollout = { ...clientRollout({ status }), ...(numbers === undefined ? {} : { numbers }) };
  return {
    policy: {
      namespace: "acme",
      generation,
      spec: accountPolicySpec.parse({ clients: { windows } }),
      status: before === undefined ? {} : { clients: before },
    },
    account: "acme",
    sites: { sites: 0, pairs: 0, upToDate: 0, planned: 0, haNotReady: 0, notConnected: 0, versions: [] },
    pops: [],
    singlePoP: 0,
    singleSocket: 0,
    clients: {
      rollouts: given.rollouts ?? [rollout],
      policyTwice: given.policyTwice ?? false,
      ...(given.replicas === undefined ? {} : { replicas: given.replicas }),
    },
  };
}

/** What stands in status afterwards, as the API server takes it. */
const entries = (given: Given = {}, now = NOON) => accountPolicyStatus.parse(decide(seen(given), now).status).clients ?? [];
const entry = (given: Given = {}, now = NOON) => entries(given, now)[0]!;

describe("[C5] an account's own pause", () => {
  const windows = { upgrade: "Automatic", pause: PAUSE };
  const live = (generation?: number) => ({ silentMilliseconds: 2_000, ...(generation === undefined ? {} : { generation }) });
  const fenced = { silentMilliseconds: 10_001, generation: 3 };

  it("says Paused when every live gateway answers by this generation of the policy, and those that are silent for more than 10 s are fenced", () => {
    const asked = (...replicas: NonNullable<SeenClients["replicas"]>) => entry({ windows, replicas }).effective;
    expect(asked(live(4), fenced)).toBe("Paused");
    expect(asked(live(4), { ...fenced, silentMilliseconds: 10_000 })).toBe("Run");
    expect(asked(live(3))).toBe("Run");
    expect(asked(live())).toBe("Run");
    expect(asked()).toBe("Paused");
  });

  it("is shown with its reason from the first look on, and looked at again each second until it is obeyed", () => {
    const given = { windows, replicas: [live(3)] };
    expect(entry(given)).toMatchObject({ effective: "Run", reasons: ["the account paused 5.12.3: audit week"] });
    expect(clientsOf(seen(given), NOON).wakeAt).toBe(NOON + SECOND);
  });

  it("where gateways leave no sign ten seconds count; obeyed once it stays so, until the policy is written anew", () => {
    const before = entries({ windows });
    expect(before[0]!.held).toMatchObject({ by: "Pause", generation: 4 });
    expect(entry({ windows, before }, NOON + 9 * SECOND).effective).toBe("Run");
    const obeyed = entries({ windows, before }, NOON + 10 * SECOND);
    expect(obeyed[0]!.effective).toBe("Paused");
    // A gateway that has just started has not confirmed it, and reads what is now.
    expect(entry({ windows, before: obeyed, replicas: [live()] }, NOON + DAY).effective).toBe("Paused");
    expect(entry({ windows, before: obeyed, generation: 5, replicas: [live(4)] }, NOON + DAY).effective).toBe("Run");
  });

  it("of another version, or one whose time is over, it holds nothing; before that the end of its time wakes", () => {
    expect(entry({ windows: { upgrade: "Automatic", pause: { ...PAUSE, version: "5.12.2" } }, replicas: [] })).not.toHaveProperty(
      "reasons",
    );
    const until = { upgrade: "Automatic", pause: { ...PAUSE, until: new Date(NOON + HOUR).toISOString() } };
    expect(clientsOf(seen({ windows: until, replicas: [] }), NOON).wakeAt).toBe(NOON + HOUR);
    expect(entry({ windows: until, replicas: [] }, NOON + HOUR).effective).toBe("Run");
  });

  it("the stricter word wins, and all reasons are told", () => {
    const stopped = {
      ...inStage("Pilot"),
      effective: "Stopped" as const,
      reasons: [{ by: "Provider" as const, message: "it eats files" }],
    };
    const told = entry({ windows, replicas: [], status: stopped });
    expect(told).toMatchObject({ effective: "Stopped", reasons: ["it eats files", "the account paused 5.12.3: audit week"] });
  });
});

describe("[C2] an account's own pilots", () => {
  const pilots = { attempted: 10, failed: 1, confirmed: 9 };

  it("hold it when more of them failed than may, which counts as obeyed after ten seconds, and not where it overrules them", () => {
    const before = entries({ pilots });
    const reason = "1 of 10 own pilots failed; clients.windows.overrulePilot goes on all the same";
    expect(before[0]).toMatchObject({ effective: "Run", reasons: [reason], held: { by: "Pilot" } });
    expect(entry({ pilots, before }, NOON + 10 * SECOND).effective).toBe("Paused");
    const overrulePilot = { version: "5.12.3", reason: "a broken disk" };
    const overruled = entry({ pilots, before, windows: { upgrade: "Automatic", overrulePilot } });
    expect(overruled).toMatchObject({ effective: "Run" });
    expect(overruled).not.toHaveProperty("reasons");
  });

  it("are counted where it has a group of them; an account without one has no pilots, which is not none of 0", () => {
    const counted = { rollouts: [{ ...clientRollout({ status: inStage("Pilot") }), numbers: { all: NOBODY, pilots: NOBODY } }] };
    expect(entry(counted)).not.toHaveProperty("pilot");
    const windows = { upgrade: "Automatic", pilotGroup: { groups: ["it"] } };
    expect(entry({ ...counted, windows }).pilot).toEqual(NOBODY);
  });

  it("[G9] while nobody counts, what was told last stands: the account stays held", () => {
    const before = entries({ pilots });
    expect(entry({ before }, NOON + DAY)).toMatchObject({ effective: "Paused", pilot: { failed: 1 }, numbers: { eligible: 30 } });
  });
});

describe("[I15] [C1] what an account reads of its systems", () => {
  it("a system that it manages says so; one that it neither names nor has is left out", () => {
    expect(entry({ windows: { upgrade: "Managed" } }).reasons).toEqual([
      "the account upgrades Clients on Windows itself; nothing is offered to them",
    ]);
    const linux = clientRollout({ name: "linux", spec: { os: "Linux" } });
    expect(entries({ rollouts: [linux] })).toEqual([]);
    const counted = { ...linux, numbers: { all: { ...NOBODY, eligible: 2 }, pilots: NOBODY } };
    expect(entries({ rollouts: [counted] })).toMatchObject([{ os: "Linux", numbers: { eligible: 2 } }]);
  });

  it("why monitoring paused counts the devices of all accounts, and is told without numbers", () => {
    const message = "4711 of 9000 devices failed";
    const status = { ...inStage("Pilot"), effective: "Paused" as const, reasons: [{ by: "Monitoring" as const, message }] };
    expect(JSON.stringify(entry({ status }))).not.toContain("4711");
  });

  it("two AccountPolicies of one account: none counts, and both say so", () => {
    expect(entry({ policyTwice: true }).reasons).toEqual([expect.stringContaining("AccountPolicies in two namespaces")]);
  });

  it("whether a phase has reached it, when the next one opens, and how long the version is supported", () => {
    const forecast = { phases: [{ phase: 2, at: "2026-11-05T09:00:00Z" }], standsAt: "2026-11-09T09:00:00Z" };
    const status = { ...inPhase(1, 100, 20), forecast, support: { endsAt: "2027-05-01T00:00:00Z", weeksLeft: 26 } };
    expect(entry({ status })).toMatchObject({ stage: "phase-1", inPhase: true, nextAt: "2026-11-05T09:00:00Z", supportWeeksLeft: 26 });
    expect(entry({ status: inPhase(1, 1, 100) }).inPhase).toBe(false);
  });

  it("[I19] of many the newest that are not over, at most 32", () => {
    const rollouts = Array.from({ length: 40 }, (_, nth) =>
      clientRollout({
        name: `v${nth}`,
        spec: { version: `5.${nth}.0` },
        ...(nth === 39 ? { status: { stopped: { at: ANNOUNCED, by: "Person" as const, message: "" } } } : {}),
      }),
    );
    const told = entries({ rollouts }).map(({ version }) => version);
    expect([told.length, told[0], told.includes("5.39.0")]).toEqual([32, "5.38.0", false]);
  });

  it("[G11] the same an hour later is no write", () => {
    const before = entries({ pilots: { attempted: 3, confirmed: 3 } });
    const again = seen({ pilots: { attempted: 3, confirmed: 3 }, before });
    const first = decide(again, NOON).status!;
    expect(decide({ ...again, policy: { ...again.policy, status: first } }, NOON + HOUR).status).toBeUndefined();
  });
});
