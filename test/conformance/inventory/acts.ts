import fc from "fast-check";
import { commandRow } from "../../../src/core/socket/command.examples.ts";
import type { Store } from "./worlds.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");

/** One call of a port, on names that begin with `prefix`, and how far the store's clock goes before it. */
export interface Act {
  readonly name: string;
  readonly play: (store: Store, prefix: string) => Promise<unknown>;
  readonly after: number;
}

const serial = fc.constantFrom("S-2001", "S-2002", "S-9");
const account = fc.constantFrom("acme", "acme", "acme", "other");
const attempt = fc.integer({ min: 1, max: 4 });
/** Before, at both ends of, inside and after the hour in which the commands may be given. */
const now = fc.constantFrom(NOON - 1, NOON, NOON + 1_800_000, NOON + 3_600_000, NOON + 3_600_001);

const rowOf = (prefix: string, device: string, number: number) =>
  commandRow({
    id: `${prefix}${device}.${number}`,
    action: number,
    serial: prefix + device,
    site: { namespace: "acme", name: "berlin", uid: `${prefix}site` },
    notBefore: NOON,
    notAfter: NOON + 3_600_000,
  });

/** Of the site that was created again under its name: the next day, and when what was given the day before is waited for no more. */
const againOf = (prefix: string, device: string, number: number, days: 1 | 8) => ({
  ...rowOf(prefix, device, number),
  id: `${prefix}again.${days}.${device}.${number}`,
  action: number + 10 * days,
  site: { namespace: "acme", name: "berlin", uid: `${prefix}again` },
  notBefore: NOON + days * 86_400_000,
  notAfter: NOON + days * 86_400_000 + 3_600_000,
});

const plays: fc.Arbitrary<Omit<Act, "after">>[] = [
  fc.tuple(serial, attempt).map(([device, number]) => ({
    name: `insert ${device} ${number}`,
    play: (store, prefix) => store.insertCommand(rowOf(prefix, device, number)),
  })),
  fc.tuple(serial, attempt, fc.constantFrom(1, 8)).map(([device, number, days]) => ({
    name: `insert ${device} ${number} of the site created again, ${days} days later`,
    play: (store, prefix) => store.insertCommand(againOf(prefix, device, number, days)),
  })),
  fc.tuple(serial, account, attempt, now).map(([device, owner, action, at]) => ({
    name: `give ${device} ${action} of ${owner} at ${at - NOON}`,
    play: (store, prefix) => store.give({ account: owner, serial: prefix + device, action }, at),
  })),
  fc.tuple(serial, attempt, fc.constantFrom("withdraw", "giveUp"), now).map(([device, number, act, at]) => ({
    name: `${act} ${device} ${number}`,
    play: (store, prefix) => store.act(`${prefix}${device}.${number}`, act, at),
  })),
  fc
    .tuple(
      serial,
      account,
      attempt,
      fc.constantFrom("proceed", "succeed", "fail", "cancel"),
      fc.option(fc.string(), { nil: undefined }),
      now,
    )
    .map(([device, owner, action, act, said, at]) => ({
      name: `feedback ${act} of ${device} ${action} of ${owner}`,
      play: (store, prefix) => store.feedback({ account: owner, serial: prefix + device, action }, act, said?.replaceAll("\0", ""), at),
    })),
  fc.tuple(serial, account, fc.constantFrom(1_000, 10_000, 300_000), now).map(([device, owner, hintMilliseconds, at]) => ({
    name: `poll of ${device} of ${owner}`,
    play: (store, prefix) => store.poll({ account: owner, serial: prefix + device, hintMilliseconds }, at),
  })),
  fc.tuple(serial, account, fc.constantFrom("17.2", "18.0"), fc.boolean(), now).map(([device, owner, version, keepalive, at]) => ({
    name: `report of ${device} of ${owner}`,
    play: (store, prefix) => store.report({ account: owner, serial: prefix + device, attributes: { version, keepalive } }, at),
  })),
  fc.tuple(serial, attempt, now).map(([device, number, at]) => ({
    name: `cancel ${device} ${number}`,
    play: (store, prefix) => store.requestCancel(`${prefix}${device}.${number}`, at),
  })),
];

export const anyAct: fc.Arbitrary<Act> = fc
  .tuple(fc.oneof(...plays), fc.constantFrom(0, 1_000, 40_000, 700_000))
  .map(([act, after]) => ({ ...act, after }));
