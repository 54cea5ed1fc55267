import type { SocketSiteStatus } from "../../../src/api/socket-site.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../../../src/api/socket-rollout.ts";
import type { Inventory } from "../../../src/control/inventory.ts";
import type { Kind, KubernetesObject } from "../../../src/control/ports.ts";
import { actionNumber, type CommandRow } from "../../../src/core/socket/command.ts";
import type { SiteInventory } from "../../../src/core/socket-site/observation.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { planned } from "../../scenarios/socket-story.ts";
import { MINUTE, SECOND } from "./slots.ts";
import { type NightOperatorOptions, SocketNights } from "./socket-nights.ts";

/**
 * Small known-bad operators: what one rule asks for is taken away at the ports, and the judge must notice. Each is hunted in a story in
 * which the rule has something to keep; the honest operator goes through the same stories unharmed.
 */
export interface Case {
  readonly bad: (nights: () => SocketNights) => NightOperatorOptions;
  readonly hunt: (operator: (nights: () => SocketNights) => NightOperatorOptions) => Promise<string[]>;
  /** The breach that must be named. */
  readonly caughtBy: RegExp;
}

const START = "2026-11-25T10:00:00Z";
const MONDAY = "2026-11-30T12:00:00Z";
const SITES = [planned("berlin", "Europe/Berlin", ["S-2001", "S-2002"])];

type Hunt = Case["hunt"];

/** A pair through one Sunday, with what a case tells of it. */
const oneSunday =
  (told: (nights: SocketNights) => Promise<void>, given: Partial<Parameters<typeof SocketNights.begin>[0]> = {}): Hunt =>
  async (operator) => {
    const nights = await SocketNights.begin({ start: START, sites: SITES, ...given });
    nights.operator(operator(() => nights));
    await told(nights);
    await nights.untilDate(MONDAY);
    return nights.breaches();
  };

/** The inventory as a bad operator reads it. */
const readsOtherwise =
  (edit: (seen: SiteInventory) => SiteInventory) =>
  (inventory: Inventory): Inventory =>
    new Proxy(inventory, {
      get: (target, name): unknown => {
        if (name === "site") return async (of: Parameters<Inventory["site"]>[0]) => edit(await target.site(of));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });

/** Inserts the row of a claim before the claim is written. */
const insertsFirst = (nights: () => SocketNights): NightOperatorOptions => ({
  mishap: ({ name, target }) => (name === "status of SocketSite" && target === "berlin" ? { delayMilliseconds: 2 * SECOND } : undefined),
  sabotage: {
    status: (kind, object) => {
      const { upgrade } = (object as KubernetesObject & { status?: SocketSiteStatus }).status ?? {};
      const command = upgrade?.command;
      if (kind.kind !== "SocketSite" || command === undefined || command.inserted === true) return object;
      const { namespace = "", name, uid } = object.metadata;
      const row: CommandRow = {
        id: command.id,
        action: actionNumber(command.id),
        account: namespace,
        site: { namespace, name, uid },
        serial: command.serial,
        version: command.version,
        rollout: upgrade!.rollout.uid,
        notBefore: Date.parse(command.notBefore),
        notAfter: Date.parse(command.notAfter),
        state: "Open",
      };
      void nights().story.world.inventory.insertCommand(row);
      return object;
    },
  },
});

/** The Fleet is paused as soon as a row stands, and its claim is long in coming: the API server is slow that night. */
const pausedMeanwhile: Hunt = async (operator) => {
  const breaches: string[] = [];
  // Devices ask every half minute: of a few nights, one shows what was on offer in the meantime.
  for (const afterSeconds of [0, 8, 16]) {
    const nights = await SocketNights.begin({
      start: START,
      sites: SITES,
      // It asks the row alone, as if nobody but the operator knew of pauses.
      gateway: (viewOf) => ({
        viewOf: (row) => {
          const { site, ...view } = viewOf(row);
          const fleet = { paused: false, freezes: [] };
          return Promise.resolve({ ...view, fleet, ...(site === undefined ? {} : { site: { ...site, command: row.id } }) });
        },
      }),
    });
    let claims = 0;
    const { mishap: _, ...options } = operator(() => nights);
    const slow: NonNullable<NightOperatorOptions["mishap"]> = ({ name }) => {
      const inWindow = nights.now >= Date.parse("2026-11-29T00:00:00Z");
      if (name !== "status of SocketSite" || !inWindow || claims > 0) return undefined;
      claims += 1;
      return { delayMilliseconds: MINUTE };
    };
    nights.operator({ ...options, mishap: slow });
    await nights.announce("18.0");
    await nights.untilDate("2026-11-29T00:00:00Z");
    await nights.untilLedgers(() => claims > 0, 120 * MINUTE, "the claim");
    await nights.story.pass(afterSeconds * SECOND);
    await nights.pause(true);
    await nights.untilDate(MONDAY);
    breaches.push(...nights.breaches());
  }
  return breaches;
};

/** One rollout goes and another one comes, under its name, the day before. */
const sameName: Hunt = async (operator) => {
  // Who takes names for UIDs does so in both halves of the house.
  const find = ({ rollout }: CommandRow) =>
    (nights.story.world.store.list(SOCKET_ROLLOUT) as unknown as SocketRollout[]).find(
      ({ metadata }) => metadata.uid === rollout || metadata.name === rollout,
    );
  const nights: SocketNights = await SocketNights.begin({
    start: START,
    sites: SITES,
    gateway: (viewOf) => ({
      viewOf: (row) => Promise.resolve({ ...viewOf(row), ...(find(row) === undefined ? {} : { rollout: { paused: false } }) }),
      contentOf: (row) => find(row)?.spec.version ?? row.version,
    }),
  });
  const first = nights.operator(operator(() => nights));
  await nights.announce("18.0", {}, "sockets");
  await nights.untilDate("2026-11-28T12:00:00Z");
  // Nobody is there to see that one goes and another comes.
  first.crash();
  const { world } = nights.story;
  await world.while(world.kubectl.delete(SOCKET_ROLLOUT as Kind, "sockets", FLEET_NAMESPACE));
  // It says that it was announced long ago, and nobody has seen it before.
  await nights.announce("18.5", { announcedAt: "2026-11-20T09:00:00Z" }, "sockets");
  nights.operator(operator(() => nights));
  await nights.untilDate(MONDAY);
  return nights.breaches();
};

/** Knows rollouts by their names; what it writes bears the UID that the API server asks for. */
const byName = (): NightOperatorOptions => {
  const uids = new Map<string, string>();
  const ofRollouts =
    (uidOf: (metadata: KubernetesObject["metadata"]) => string): NonNullable<NonNullable<NightOperatorOptions["sabotage"]>["view"]> =>
    (kind, object) =>
      kind.kind === "SocketRollout" ? { ...object, metadata: { ...object.metadata, uid: uidOf(object.metadata) } } : object;
  return {
    sabotage: {
      view: ofRollouts(({ name, uid }) => {
        if (uid !== name) uids.set(name, uid);
        return name;
      }),
      status: ofRollouts(({ name, uid }) => uids.get(name) ?? uid),
    },
  };
};

/** Believes that the primary is active and the secondary stands by. */
const BY_ROLE: NightOperatorOptions = {
  inventory: readsOtherwise((seen) => ({
    ...seen,
    devices: new Map(
      [...seen.devices].map(([serial, report]) => [
        serial,
        { ...report, ha: { state: serial === "S-2001" ? "Active" : "Standby", keepalive: report.ha?.keepalive ?? true } },
      ]),
    ),
  })),
};

/** Believes that a Socket which answered success runs the version, from then on. */
const believes = (): NightOperatorOptions => {
  const believed = new Map<string, { readonly version: string; readonly versionSeenAt: number }>();
  return {
    inventory: readsOtherwise((seen) => {
      for (const { serial, version, state, endedAt = 0 } of seen.commands.values())
        if (state === "Succeeded") believed.set(serial, { version, versionSeenAt: endedAt });
      return { ...seen, devices: new Map([...seen.devices].map(([serial, report]) => [serial, { ...report, ...believed.get(serial) }])) };
    }),
  };
};

/** Takes every notice for taken. */
const ASSUMES: NightOperatorOptions = {
  notices: (notices) => ({
    send: async (notice, channels) => {
      await notices.send(notice, channels);
      return true;
    },
  }),
};

export const CASES: Readonly<Record<string, Case>> = {
  "inserts before it claims": { bad: insertsFirst, hunt: pausedMeanwhile, caughtBy: /I7: .* after the Fleet was paused/ },
  "takes a name for a UID": { bad: byName, hunt: sameName, caughtBy: /I3: .* was told 18\.5 .* h after it was announced/ },
  "goes by the role and not by the state": {
    bad: () => BY_ROLE,
    hunt: oneSunday(async (nights) => {
      await nights.announce("18.0");
      await nights.untilDate("2026-11-27T12:00:00Z");
      // The secondary takes over, and keeps the traffic when the primary is back.
      nights.story.devices.device("S-2001").unplug();
      await nights.story.pass(10 * MINUTE);
      nights.story.devices.device("S-2001").plug();
    }),
    caughtBy: /S2: .*S-2002 was told .* first, although it carried the traffic/,
  },
  "believes a success": {
    bad: believes,
    hunt: oneSunday(async (nights) => {
      nights.story.devices.device("S-2002").behaviour = "liesSuccess";
      await nights.announce("18.0");
    }),
    caughtBy: /S2: .*S-2001 .* in the same night in which S-2002 did not come to it/,
  },
  "assumes that the account was told": {
    bad: () => ASSUMES,
    hunt: oneSunday(async (nights) => {
      nights.story.world.sink.blocked = true;
      await nights.announce("18.0");
      await nights.untilDate("2026-11-28T12:00:00Z");
      nights.story.world.sink.blocked = false;
    }),
    caughtBy: /I3: .* its account was never told/,
  },
};
