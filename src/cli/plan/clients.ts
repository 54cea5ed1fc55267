import type { AccountPolicy } from "../../api/account-policy.ts";
import { CLIENT_SYSTEMS, type ClientRollout, type ClientSystem } from "../../api/client-rollout.ts";
import { ACCOUNT_LABEL } from "../../api/names.ts";
import type { ClientInventory } from "../../control/client-inventory.ts";
import { clientAccounts } from "../../core/client/accounts.ts";
import { userKey } from "../../core/client/cohort.ts";
import { failedPilotsOf } from "../../core/client/failed-pilots.ts";
import { DAY, WEEK } from "../../core/time/civil.ts";
import { formatInstant, parseInstant } from "../../core/time/instant.ts";
import { type ClientForecast, clientForecast } from "../../simulation/clients/forecast.ts";
import type { ForecastAccount, ForecastClient } from "../../simulation/clients/forecast-input.ts";
import { stageInstants } from "../../simulation/clients/stage-instants.ts";
import { EXIT } from "../exit-codes.ts";
import { Refusal } from "../refusal.ts";

/** One namespace of an account, as far as a plan needs it. */
export interface PlannedNamespace {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

export interface ClientPlanInput {
  /** Those that stand, with their status, the files laid over them. */
  readonly rollouts: readonly ClientRollout[];
  readonly policies: readonly AccountPolicy[];
  readonly namespaces: readonly PlannedNamespace[];
  readonly fleetNamespace: string;
  readonly fleetPaused: boolean;
  readonly now: number;
  readonly until?: number | undefined;
  /** `--what-if-paused`, as it was written. */
  readonly pausedOn?: string | undefined;
  /** Absent: instants are told, and nobody is counted. */
  readonly clients?: ClientInventory | undefined;
}

/** A stage as it is told: instants are text in UTC. */
export interface PlannedStage {
  readonly name: string;
  readonly opensAt: string;
  /** The shares of a phase, those of earlier ones included. */
  readonly accountsPercent?: number;
  readonly usersPercent?: number;
  /** Whom it reaches first; with an inventory. */
  readonly users?: number;
  readonly devices?: number;
  readonly accounts?: number;
  readonly reachedUsers?: number;
  /** False: its evidence may come later than is to be expected. */
  readonly sure?: boolean;
}

export interface PlannedRollout {
  readonly name: string;
  readonly os: ClientSystem;
  readonly version: string;
  readonly stages: readonly PlannedStage[];
  readonly standsAt?: string;
  /** Why nothing more is foreseen until a person acts. */
  readonly held?: string;
  /** Why nothing more is foreseen although nothing is wrong. */
  readonly depends?: string;
}

interface PlannedRow {
  readonly at: string;
  readonly byVersion: readonly { readonly version: string; readonly users: number; readonly low: number; readonly high: number }[];
}

/** Users of one system by version, week by week. */
export interface PlannedCurve {
  readonly os: ClientSystem;
  readonly users: number;
  readonly weeks: readonly PlannedRow[];
  readonly left: readonly { readonly reason: string; readonly users: number }[];
  readonly band: string;
}

/** What a pause would leave. */
export interface PausedPlan {
  readonly rollout: string;
  readonly at: string;
  readonly stage?: string;
  /** With an inventory: who runs what then, and whom a stage has reached who has not come for it. */
  readonly byVersion?: PlannedRow["byVersion"];
  readonly waiting?: number;
  /** The system of which the inventory has heard of no Client. */
  readonly nobody?: ClientSystem;
}

export interface ClientPlan {
  readonly from: string;
  readonly until: string;
  readonly rollouts: readonly PlannedRollout[];
  readonly curves: readonly PlannedCurve[];
  readonly paused: readonly PausedPlan[];
  readonly assumed: readonly string[];
}

/** Beyond this nothing is foreseen of Clients unless `--until` says so: a slow rollout is through by then. */
const LOOK = 12 * WEEK;

/** What the rollouts of Clients will do, when, and to whom (rule F7 for Clients). Nothing is written. */
export async function planClients(input: ClientPlanInput): Promise<ClientPlan> {
  const { rollouts, now, fleetPaused } = input;
  const open = rollouts.filter(({ status }) => status?.stopped === undefined && status?.standingSince === undefined);
  const instants = new Map(
    rollouts.map((rollout) => [
      rollout.metadata.name,
      stageInstants(
        rollout,
        rollouts.filter((other) => other !== rollout),
        now,
        fleetPaused,
      ),
    ]),
  );
  const last = Math.max(...open.map(({ metadata }) => instants.get(metadata.name)!.stands ?? 0));
  const until = input.until ?? Math.max(now + LOOK, last + WEEK);
  const systems = CLIENT_SYSTEMS.filter((os) => open.some(({ spec }) => spec.os === os));
  const forecasts = new Map<ClientSystem, ClientForecast>();
  for (const os of systems) {
    if (input.clients === undefined) break;
    const accounts = accountsOf(input);
    const clients = await clientsOf(input.clients, os);
    forecasts.set(os, clientForecast({ os, rollouts, accounts, clients, from: now, until, fleetPaused }));
  }
  const planned = open.map((rollout) => {
    const forecast = forecasts.get(rollout.spec.os);
    return forecast === undefined || forecast.users === 0
      ? byInstants(rollout, instants.get(rollout.metadata.name)!)
      : byForecast(rollout, forecast, instants.get(rollout.metadata.name)!);
  });
  return {
    from: formatInstant(now),
    until: formatInstant(until),
    rollouts: planned,
    curves: [...forecasts.values()].filter(({ users }) => users > 0).map(curveOf),
    paused:
      input.pausedOn === undefined ? [] : open.flatMap((rollout, index) => pausedPlan(input, rollout, planned[index]!, forecasts, until)),
    assumed: assumptions(input, systems, forecasts),
  };
}

const sharesOf = ({ spec }: ClientRollout, name: string): Pick<PlannedStage, "accountsPercent" | "usersPercent"> => {
  const phase = spec.phases[Number(/^phase-(\d+)$/.exec(name)?.[1]) - 1];
  return phase === undefined ? {} : { accountsPercent: phase.accountsPercent, usersPercent: phase.usersPercent };
};

function byInstants(rollout: ClientRollout, { stages, stands, held, depends }: ReturnType<typeof stageInstants>): PlannedRollout {
  return {
    name: rollout.metadata.name,
    os: rollout.spec.os,
    version: rollout.spec.version,
    stages: stages.map(({ name, at }) => ({ name, opensAt: formatInstant(at), ...sharesOf(rollout, name) })),
    ...(stands === undefined ? {} : { standsAt: formatInstant(stands) }),
    ...(held === undefined ? {} : { held }),
    ...(depends === undefined ? {} : { depends }),
  };
}

function byForecast(rollout: ClientRollout, forecast: ClientForecast, { depends }: ReturnType<typeof stageInstants>): PlannedRollout {
  const { name } = rollout.metadata;
  const [stands, held] = [forecast.stands.get(name), forecast.held.get(name)];
  const stages = forecast.stages.filter((stage) => stage.rollout === name);
  return {
    name,
    os: rollout.spec.os,
    version: rollout.spec.version,
    stages: stages.map((stage) => ({
      name: stage.name,
      opensAt: formatInstant(stage.at),
      ...sharesOf(rollout, stage.name),
      users: stage.users,
      devices: stage.devices,
      accounts: stage.accounts,
      reachedUsers: stage.reachedUsers,
      sure: stage.sure,
    })),
    ...(stands === undefined ? {} : { standsAt: formatInstant(stands) }),
    ...(held === undefined ? {} : held === depends ? { depends } : { held }),
  };
}

const rowOf = ({ at, byVersion }: ClientForecast["weeks"][number]): PlannedRow => ({ at: formatInstant(at), byVersion });
const curveOf = (forecast: ClientForecast): PlannedCurve => {
  const { os, users, weeks, left, band, from } = forecast;
  return {
    os,
    users,
    weeks: [forecast.at(from), ...weeks].map(rowOf),
    left,
    band,
  };
};

/** `day6` after its first stage opens, or an instant; what a pause then would leave for as long as it lasts. */
function pausedPlan(
  { pausedOn = "", now }: ClientPlanInput,
  { metadata, spec, status }: ClientRollout,
  planned: PlannedRollout,
  forecasts: ReadonlyMap<ClientSystem, ClientForecast>,
  until: number,
): PausedPlan[] {
  // A rollout that is written after its announcement is announced when it is first seen: then its first stage opens.
  const announced = parseInstant(status?.stages?.[0]?.openedAt ?? planned.stages[0]?.opensAt ?? spec.announcedAt) ?? now;
  const day = /^day ?(\d{1,3})$/i.exec(pausedOn)?.[1];
  const at = day === undefined ? parseInstant(pausedOn) : announced + Number(day) * DAY;
  const refuse = (why: string): never => {
    throw new Refusal(EXIT.badInput, `--what-if-paused is ${JSON.stringify(pausedOn)}, ${why}`);
  };
  if (at === undefined)
    return refuse("which is no moment; write day6 for the sixth day after the first stage opens, or an instant such as 2026-11-13T12:00Z");
  if (at < now) return refuse(`which is over (${formatInstant(at)}); write a later one, or look from earlier by --from`);
  if (at > until) return refuse(`beyond what is looked at (${formatInstant(until)}); write an earlier one, or a later --until`);
  const forecast = forecasts.get(spec.os);
  const stage = planned.stages.findLast(({ opensAt }) => (parseInstant(opensAt) ?? 0) <= at)?.name;
  const nobody = forecast?.users === 0;
  const left = forecast === undefined || nobody ? undefined : forecast.pauseOn((at - forecast.from) / DAY);
  return [
    {
      rollout: metadata.name,
      at: formatInstant(at),
      ...(stage === undefined ? {} : { stage }),
      ...(nobody ? { nobody: spec.os } : {}),
      ...(left === undefined ? {} : { byVersion: left.byVersion, waiting: left.waiting }),
    },
  ];
}

/** By the labels of namespaces; of a policy of a file whose namespace nobody told, the account is called as the namespace. */
function accountsOf({ namespaces, policies, rollouts, fleetNamespace }: ClientPlanInput): ReadonlyMap<string, ForecastAccount> {
  const known = new Set(namespaces.map(({ metadata }) => metadata.name));
  const told = policies
    .map(({ metadata }) => metadata.namespace ?? "")
    .filter((name) => name !== "" && !known.has(name))
    .map((name) => ({ metadata: { name, labels: { [ACCOUNT_LABEL]: name } } }));
  const found = clientAccounts([...namespaces, ...told], policies, fleetNamespace);
  return new Map(
    [...found].map(([account, { labels, policies: own, status }]) => [
      account,
      { labels, policies: own, failedPilots: failedPilotsOf(status, rollouts) },
    ]),
  );
}

const PAGE = 5_000;

/** Every Client of a system, with its user and his groups as the directory has them. */
async function clientsOf(inventory: ClientInventory, os: ClientSystem): Promise<readonly ForecastClient[]> {
  const found: ForecastClient[] = [];
  const directories = new Map<string, Awaited<ReturnType<ClientInventory["directory"]>>>();
  let after: { readonly account: string; readonly device: string } | undefined;
  for (;;) {
    const page = await inventory.clients(os, after, PAGE);
    for (const { account, device, version, user: said, seenAt } of page) {
      const directory = directories.get(account) ?? (await inventory.directory(account));
      directories.set(account, directory);
      const user = directory.owners.get(userKey(device)) ?? said;
      const groups = user === undefined ? [] : (directory.groups.get(userKey(user)) ?? []);
      found.push({
        account,
        device,
        os,
        groups,
        seenAt,
        ...(version === undefined ? {} : { version }),
        ...(user === undefined ? {} : { user }),
      });
    }
    after = page.at(-1);
    if (page.length < PAGE) return found;
  }
}

function assumptions(
  { clients, namespaces, policies, rollouts }: ClientPlanInput,
  systems: readonly ClientSystem[],
  forecasts: ReadonlyMap<ClientSystem, ClientForecast>,
): string[] {
  const nobody = systems.filter((os) => forecasts.get(os)?.users === 0);
  const figures = rollouts.some(({ spec }) => spec.health.prometheus !== undefined);
  return [
    ...(clients === undefined
      ? ["each gate has its evidence in time; --inventory counts whom each stage reaches, and whether they are enough"]
      : []),
    ...(nobody.length === 0
      ? []
      : [`no Client on ${nobody.join(", ")} has been heard of, so each gate is taken to have its evidence in time`]),
    ...(figures ? ["the figure of monitoring that is asked passes"] : []),
    ...(clients !== undefined && namespaces.length === 0 && policies.length > 0
      ? ["each account of a file is called as its namespace; --cluster tells how they are labelled"]
      : []),
  ];
}
