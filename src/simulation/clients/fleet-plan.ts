import { type ClientPolicies, clientPolicies } from "../../api/client-policy.ts";
import { CLIENT_SYSTEMS, type ClientSystem } from "../../api/client-rollout.ts";
import { ACCOUNT_LABEL } from "../../api/names.ts";
import type { DirectoryMember } from "../../control/client-inventory.ts";
import { DAY, HOUR } from "../../core/time/civil.ts";
import { seededRandom } from "../clock.ts";

/** How a computer is used: when it comes again. */
export interface ClientHabits {
  /** Calendar milliseconds from one check-in to the next, give or take `jitter` of it. */
  readonly every: number;
  readonly jitter: number;
  /** After so many of its check-ins it is switched off for days instead, from `from` to `to` milliseconds. */
  readonly away: { readonly share: number; readonly from: number; readonly to: number };
}

/** A few times a day, and one check-in in fifty is followed by days in a bag. */
export const USUAL_HABITS: ClientHabits = { every: 8 * HOUR, jitter: 0.5, away: { share: 0.02, from: DAY, to: 5 * DAY } };

export interface PlannedClient {
  readonly account: string;
  readonly device: string;
  /** Absent: nobody knows whose it is. */
  readonly user?: string;
  readonly os: ClientSystem;
  readonly version: string;
}

export interface PlannedAccount {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What stands in its AccountPolicy; absent: it has none. */
  readonly policies?: ClientPolicies;
  readonly members: readonly DirectoryMember[];
  readonly clients: readonly PlannedClient[];
}

export interface ClientPlan {
  readonly accounts: number;
  readonly clients: number;
  /** What every Client runs at first. */
  readonly version: string;
  /** The provider's own accounts, which come first; two unless told. */
  readonly own?: number;
  readonly seed?: number;
}

/** Labels of the provider's own accounts, which are pilots as a whole. */
export const OWN_ACCOUNT: Readonly<Record<string, string>> = { "rollward.dev/ring": "own" };
/** The group of an account's pilots. */
export const PILOTS = "it";

const LONG_TAIL = 2;
const PILOT_SHARE = 0.06;
const UNOWNED = 0.03;

/**
 * Accounts of very different sizes, of which some upgrade by themselves and some have no policy at all, some with pilots and some without;
 * users with one to three computers, on three systems. The same plan and seed give the same fleet.
 */
export function planClients({ accounts, clients, version, own = 2, seed = 1 }: ClientPlan): readonly PlannedAccount[] {
  const random = seededRandom(seed);
  const weights = Array.from({ length: accounts }, () => 0.15 + random() ** LONG_TAIL * 3);
  const sum = weights.reduce((all, weight) => all + weight, 0);
  let left = clients;
  return weights.map((weight, index) => {
    const count = index === accounts - 1 ? left : Math.min(left, Math.max(1, Math.round((clients * weight) / sum)));
    left -= count;
    return planAccount({ index, own: index < own, count, version, random });
  });
}

interface AccountSeed {
  readonly index: number;
  readonly own: boolean;
  readonly count: number;
  readonly version: string;
  readonly random: () => number;
}

function planAccount({ index, own, count, version, random }: AccountSeed): PlannedAccount {
  const name = `account-${String(index + 1).padStart(3, "0")}`;
  const clients: PlannedClient[] = [];
  const members: DirectoryMember[] = [];
  while (clients.length < count) {
    const serial = String(clients.length + 1).padStart(5, "0");
    const computers = Math.min(count - clients.length, computersOf(random()));
    const devices = Array.from({ length: computers }, (_, nth) => `${name}-pc-${serial}-${nth + 1}`);
    const first = systemOf(random());
    // Who has a second computer mostly has it of the same system.
    const systems = devices.map((_, nth) => (nth === 0 || random() < 0.6 ? first : systemOf(random())));
    const user = random() < UNOWNED ? undefined : `user-${serial}@${name}.example`;
    if (user !== undefined) members.push({ user, groups: random() < PILOT_SHARE ? [PILOTS, "staff"] : ["staff"], devices });
    clients.push(
      ...devices.map((device, nth) => ({ account: name, device, os: systems[nth]!, version, ...(user === undefined ? {} : { user }) })),
    );
  }
  const policies = own ? everywhere({ upgrade: "Automatic" }) : policiesOf(index);
  return { name, labels: { [ACCOUNT_LABEL]: name, ...(own ? OWN_ACCOUNT : {}) }, ...(policies ? { policies } : {}), members, clients };
}

/** In turn, so that each kind is there in every plan of ten accounts. */
function policiesOf(index: number): ClientPolicies | undefined {
  switch (index % 10) {
    case 4:
      return undefined;
    case 7:
      return everywhere({ upgrade: "Managed" });
    case 3:
      return clientPolicies.parse({ windows: { upgrade: "Automatic" }, macos: { upgrade: "Managed" } });
    case 2:
    case 5:
    case 8:
      return everywhere({ upgrade: "Automatic", experience: "Notify" });
    default:
      return everywhere({ upgrade: "Automatic", pilotGroup: { groups: [PILOTS] } });
  }
}

const everywhere = (policy: object): ClientPolicies =>
  clientPolicies.parse(Object.fromEntries(CLIENT_SYSTEMS.map((os) => [os.toLowerCase(), policy])));

const computersOf = (at: number): number => (at < 0.72 ? 1 : at < 0.95 ? 2 : 3);
const systemOf = (at: number): ClientSystem => (at < 0.68 ? "Windows" : at < 0.9 ? "macOS" : "Linux");
