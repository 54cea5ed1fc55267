import { expect } from "vitest";
import { CLIENT_SYSTEMS } from "../../../src/api/client-rollout.ts";
import type { KnownClient } from "../../../src/control/client-inventory.ts";
import { isConfirmed, isFailed } from "../../../src/core/client/attempt.ts";
import { userKey } from "../../../src/core/client/cohort.ts";
import type { ClientStore } from "./client-worlds.ts";

/** All devices, read in pages of two, so that pages are met. */
export async function allClients(store: ClientStore): Promise<KnownClient[]> {
  const all: KnownClient[] = [];
  for (const os of CLIENT_SYSTEMS) {
    let page = await store.clients(os, undefined, 2);
    for (; page.length > 0; page = await store.clients(os, page.at(-1), 2)) all.push(...page);
  }
  return all;
}

/** Counters equal a recount from all rows: versions with their users, the numbers of each rollout, devices of each account. */
export async function expectRecount(store: ClientStore, rollouts: readonly string[]): Promise<void> {
  const all = await allClients(store);
  const versions = new Map<string, Set<string>[]>();
  const devices = new Map<string, number>();
  for (const client of all) {
    devices.set(client.account, (devices.get(client.account) ?? 0) + 1);
    const row = JSON.stringify([client.account, client.os, client.version ?? ""]);
    const [own, users] = versions.get(row) ?? [new Set<string>(), new Set<string>()];
    own!.add(client.device);
    const user = userKey(client.user ?? "");
    users!.add(user === "" ? `device ${client.device}` : `user ${user}`);
    versions.set(row, [own!, users!]);
  }
  expect(await store.deviceCounts()).toEqual(devices);
  const told = (await store.versions({})).map(({ account, os, version, ...row }) => [JSON.stringify([account, os, version]), row] as const);
  const counted = [...versions].map(([row, [own, users]]) => [row, { devices: own!.size, users: users!.size }] as const);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(counted));
  for (const rollout of rollouts) await expectNumbers(store, all, rollout);
}

async function expectNumbers(store: ClientStore, all: readonly KnownClient[], rollout: string): Promise<void> {
  const counted = (await store.counted(rollout))!.rows.filter(({ numbers }) => numbers.eligible > 0);
  const found = new Map<string, Record<string, number>>();
  for (const { account, attempts } of all) {
    for (const attempt of attempts.filter((one) => one.rollout === rollout)) {
      for (const of of [`${account} ${attempt.stage}`, ...(attempt.pilot ? [`${account} ${attempt.stage} pilots`] : [])]) {
        const row = found.get(of) ?? { eligible: 0, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 };
        found.set(of, row);
        row["eligible"]! += 1;
        if (attempt.offeredAt !== undefined) row["offered"]! += 1;
        if (attempt.attemptedAt !== undefined) row["attempted"]! += 1;
        if (isConfirmed(attempt)) row["confirmed"]! += 1;
        if (isFailed(attempt)) row["failed"]! += 1;
      }
    }
  }
  const told = counted.flatMap(({ account, stage, numbers, pilots }) => [
    [`${account} ${stage}`, numbers] as const,
    ...(pilots.eligible > 0 ? [[`${account} ${stage} pilots`, pilots] as const] : []),
  ]);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(found));
}
