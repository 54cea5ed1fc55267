import { type AccountPolicy, ACCOUNT_POLICY } from "../../../api/account-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout } from "../../../api/client-rollout.ts";
import type { Draft, KubernetesObject } from "../../../control/ports.ts";
import { stableFraction } from "../../../core/window/spread.ts";
import { faultsOf } from "../../../simulation/clients/faults.ts";
import { type ClientHabits, OWN_ACCOUNT, type PlannedAccount, PILOTS, planClients } from "../../../simulation/clients/fleet-plan.ts";
import { DAY, HOUR } from "../../../core/time/civil.ts";
import { NAMESPACE, type Tempo } from "../cast.ts";

export const CLIENT_COUNT = 20_000;
export const ACCOUNT_COUNT = 60;

export const OLD = "5.11.0";
export const FAULTY = "5.12.3";
export const FIXED = "5.12.4";
export const ROLLOUTS = { faulty: "windows-5-12-3", fixed: "windows-5-12-4" } as const;

export const ACCOUNTS: readonly PlannedAccount[] = planClients({ accounts: ACCOUNT_COUNT, clients: CLIENT_COUNT, version: OLD, seed: 4 });

/** Twice a day or so; one check-in in forty is followed by days in a bag. */
export const HABITS: ClientHabits = { every: 16 * HOUR, jitter: 0.5, away: { share: 0.025, from: DAY, to: 5 * DAY } };

/** A disk encryption of another maker, which no pilot has: with it the faulty version does not install. */
const ENCRYPTED = 0.22;
const PILOT_USERS = new Set(
  ACCOUNTS.flatMap(({ members }) => members.filter(({ groups }) => groups.includes(PILOTS)).map(({ user }) => user)),
);
const OWN_ACCOUNTS = new Set(ACCOUNTS.filter(({ labels }) => isOwn(labels)).map(({ name }) => name));

export function isOwn(labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(OWN_ACCOUNT).every(([key, value]) => labels[key] === value);
}

export const isPilotUser = (account: string, user: string | undefined): boolean =>
  OWN_ACCOUNTS.has(account) || (user !== undefined && PILOT_USERS.has(user));

export const FATES = faultsOf({
  [FAULTY]: {
    fails: 1,
    where: ({ account, device, user }) => !isPilotUser(account, user) && stableFraction(`disk of ${account}/${device}`) < ENCRYPTED,
  },
  // No version runs everywhere.
  [FIXED]: { fails: 0.002 },
});

/** What is written down here and not computed: a calendar on the wall. */
export const CURTAIN = Date.parse("2026-11-02T08:00:00Z");
export const DAYS = {
  announced: "2026-11-02T09:00:00Z",
  /** Two weeks after the announcement. */
  general: "2026-11-16T09:00:00Z",
  fixed: "2026-11-18T14:00:00Z",
  /** Six weeks after the announcement. */
  end: "2026-12-14T09:00:00Z",
} as const;

export const TEMPO: Tempo = { soak: "1s", bake: "1m", checkInterval: "1s", stretchMilliseconds: 0, beforeLastStartMilliseconds: 0 };

export const policyDraft = ({ name, policies }: PlannedAccount): Draft<AccountPolicy> =>
  ({
    apiVersion: ACCOUNT_POLICY.apiVersion,
    kind: "AccountPolicy",
    metadata: { namespace: name, name: "account" },
    spec: { clients: policies },
  }) as unknown as Draft<AccountPolicy>;

export const namespaceDraft = ({ name, labels }: PlannedAccount): Draft<KubernetesObject> => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});

const GATE = { attemptedAtLeast: 150, failedPercentAtMost: 2, patience: "72h" };

/** Two weeks with pilots, then a sixth of the users of a quarter of the accounts, and so on. */
const PHASES = [
  { accountsPercent: 25, usersPercent: 40, for: "72h", gate: GATE },
  { accountsPercent: 50, usersPercent: 60, for: "96h", gate: GATE },
  { accountsPercent: 100, usersPercent: 100, for: "168h", gate: GATE },
];

const rolloutDraft = (name: string, version: string, spec: object): Draft<ClientRollout> =>
  ({
    apiVersion: CLIENT_ROLLOUT.apiVersion,
    kind: "ClientRollout",
    metadata: { namespace: NAMESPACE, name },
    spec: {
      os: "Windows",
      version,
      phases: PHASES,
      pilot: { accounts: { matchLabels: OWN_ACCOUNT }, minimumDevices: 100, minimumDays: 14, failedPercentAtMost: 1 },
      artifact: { url: `https://artifacts.example.com/client-${version}.msi`, sha256: "9f86d081".repeat(8), size: 48_000_000 },
      ...spec,
    },
  }) as unknown as Draft<ClientRollout>;

export const faultyDraft = (): Draft<ClientRollout> =>
  rolloutDraft(ROLLOUTS.faulty, FAULTY, { announcedAt: DAYS.announced, generalAfter: "336h" });

export const fixedDraft = (): Draft<ClientRollout> =>
  rolloutDraft(ROLLOUTS.fixed, FIXED, { announcedAt: DAYS.fixed, supersedes: { name: ROLLOUTS.faulty }, exposedGate: GATE });
