import type { VersionCount } from "../../control/client-inventory.ts";
import type { Member } from "../../core/client/client-counts.ts";

interface Row {
  readonly of: Omit<VersionCount, "devices" | "users">;
  devices: number;
  /** Devices by member. */
  readonly members: Map<string, number>;
}

export const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** Devices and users by account, system and version, in memory. */
export class VersionCounts {
  readonly #rows = new Map<string, Row>();

  change(members: readonly (Member & { readonly devices: number })[]): void {
    for (const { account, os, version, member, isUser, devices } of members) {
      const key = JSON.stringify([account, os, version]);
      const row = this.#rows.get(key) ?? { of: { account, os, version }, devices: 0, members: new Map<string, number>() };
      row.devices += devices;
      const whose = JSON.stringify([isUser, member]);
      const left = (row.members.get(whose) ?? 0) + devices;
      if (left === 0) row.members.delete(whose);
      else row.members.set(whose, left);
      if (row.devices === 0) this.#rows.delete(key);
      else this.#rows.set(key, row);
    }
  }

  rows(asked: { readonly account?: string; readonly os?: string } = {}): VersionCount[] {
    const wanted = [...this.#rows.values()].filter(
      ({ of }) => (asked.account === undefined || of.account === asked.account) && (asked.os === undefined || of.os === asked.os),
    );
    return wanted.map(({ of, devices, members }) => ({ ...of, devices, users: members.size })).toSorted(inOrder);
  }

  /** Of each account and system the `limit` versions with the most devices. */
  most(limit: number): VersionCount[] {
    const kept = new Map<string, number>();
    const most = this.rows().toSorted((one, other) => other.devices - one.devices || byText(one.version, other.version));
    return most
      .filter(({ account, os }) => {
        const key = JSON.stringify([account, os]);
        kept.set(key, (kept.get(key) ?? 0) + 1);
        return kept.get(key)! <= limit;
      })
      .toSorted(inOrder);
  }
}

export const inOrder = (one: VersionCount, other: VersionCount): number =>
  byText(one.account, other.account) || byText(one.os, other.os) || byText(one.version, other.version);
