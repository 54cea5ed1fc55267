import type { ClientSystem } from "../../../src/api/client-rollout.ts";
import { compareVersions, parseVersion } from "../../../src/api/version.ts";
import type { Instant } from "../../../src/core/decision.ts";
import { ownerKey } from "../../../src/simulation/clients/curve.ts";
import type { ClientDevice } from "../../../src/simulation/clients/client-device.ts";

/** A time in which nothing of a version may be offered, both ends left out: what happens at the instant of the deed comes before it. */
export interface Forbidden {
  readonly version: string;
  /** Of this account alone; left out: of all. */
  readonly account?: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly why: string;
}

export interface Evidence {
  readonly clients: readonly ClientDevice[];
  readonly forbidden: readonly Forbidden[];
  /** Whether the account's word for the system is Automatic, for the whole of the run. */
  readonly isAutomatic: (account: string, os: ClientSystem) => boolean;
  /** Of a fixed version: what it mends, and how long its stage Exposed lasted. */
  readonly fixed?: { readonly version: string; readonly mends: string; readonly exposedUntil: Instant };
}

/** What general users are told whom no phase has reached. */
const NOT_REACHED = new Set(["NotInPhase", "NoticeNotElapsed", "AwaitingEvidence"]);

const compare = (one: string, other: string): number => compareVersions(parseVersion(one)!, parseVersion(other)!);
const hour = (at: Instant): string => new Date(at).toISOString().slice(0, 16);

/** Everything that must not have happened, as sentences with the device, the hour and the rule; judged by the devices' own ledgers. */
export function breachesOf(evidence: Evidence): readonly string[] {
  const byUser = Map.groupBy(evidence.clients, (client) => `${client.os} ${ownerKey(client)}`);
  return [...evidence.clients.flatMap((client) => breachesOfOne(client, evidence)), ...[...byUser.values()].flatMap(apart)];
}

function breachesOfOne(client: ClientDevice, { forbidden, isAutomatic, fixed }: Evidence): readonly string[] {
  const { ledger, account, os, device } = client;
  const say = (rule: string, at: Instant, what: string): string => `[${rule}] ${account}/${device} at ${hour(at)}: ${what}`;
  return [
    ...ledger.offered.flatMap(({ at, version, on, stage }) => [
      ...(isAutomatic(account, os) ? [] : [say("C1", at, `offered ${version} although its account manages ${os} itself`)]),
      ...(compare(version, on) > 0 ? [] : [say("C8", at, `on ${on} and offered ${version}`)]),
      ...forbidden
        .filter((span) => span.version === version && (span.account ?? account) === account && at > span.from && at < span.to)
        .map(({ why }) => say("C5", at, `offered ${version} although ${why}`)),
      ...(fixed !== undefined && version === fixed.version && on !== fixed.mends && at < fixed.exposedUntil
        ? [say("C6", at, `on ${on} and offered ${version} by ${stage} while devices on ${fixed.mends} come first`)]
        : []),
    ]),
    ...ledger.ran.slice(1).flatMap(({ from, version }, index) => {
      const before = ledger.ran[index]!.version;
      return compare(version, before) > 0 ? [] : [say("C8", from, `went from ${before} to ${version}`)];
    }),
  ];
}

/** Whoever was reached stays reached, he and all his computers of the system (rule C3). */
function apart(clients: readonly ClientDevice[]): readonly string[] {
  const reached = new Map<string, { readonly at: Instant; readonly device: string }>();
  for (const { ledger, device } of clients) {
    for (const { version, at, stage } of ledger.offered) {
      // On the faulty version it is the computer that comes first, not its user (rule C6).
      if (stage === "exposed") continue;
      const known = reached.get(version);
      if (known === undefined || at < known.at) reached.set(version, { at, device });
    }
  }
  return clients.flatMap(({ ledger, device, account }) =>
    ledger.heard.flatMap(({ to, said, version }) => {
      const first = version === undefined ? undefined : reached.get(version);
      if (first === undefined || !NOT_REACHED.has(said) || to <= first.at) return [];
      return [
        `[C3] ${account}/${device} at ${hour(to)}: told ${said} of ${version!}, which ${first.device} of the same user was offered at ${hour(first.at)}`,
      ];
    }),
  );
}

/** By version the users whom a stage reached first. */
export const usersOffered = (clients: readonly ClientDevice[], version: string, stage?: string): ReadonlySet<string> =>
  new Set(
    clients
      .filter(({ ledger }) => ledger.offered.find((offer) => offer.version === version && (stage === undefined || offer.stage === stage)))
      .map(ownerKey),
  );
