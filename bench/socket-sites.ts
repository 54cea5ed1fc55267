// B2, B3 and B9: an operator that starts over many SocketSites on a real API server. Each start: a new process of the bundled operator,
// its inventory beside it, until every site was looked at; in turn with it client-node's informer and pepr's watch, which only read them.
// ROLLWARD_BENCH_SITES says how many (10,000). Sixty of a hundred are pairs; all are settled, with nothing to do but to hold.
import { readFileSync, rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ACCOUNT_POLICY } from "../src/api/account-policy.ts";
import { ACCOUNT_LABEL } from "../src/api/names.ts";
import { MAINTENANCE_WINDOW } from "../src/api/resources.ts";
import { SOCKET_SITE } from "../src/api/socket-site.ts";
import { NAMESPACE } from "../src/control/kinds.ts";
import type { Draft, Kind, KubernetesObject } from "../src/control/ports.ts";
import { openInventory } from "../src/inventory/open.ts";
import { type PlannedSite, planSites, siteDraft } from "../src/simulation/devices/device-fleet.ts";
import { isWrite } from "../tools/control-plane/audit-log.ts";
import { type Figures, median, type Row, spread } from "./figures.ts";
import { memoryOf, startToReady } from "./operator-footprint.ts";
import { installPepr, type PeerName, startPeer } from "./socket-peers.ts";
import type { BenchWorld, OperatorRun } from "./world.ts";

const SITES = Number(process.env["ROLLWARD_BENCH_SITES"] ?? 10_000);
const ACCOUNTS = ["acme", "blue", "cobalt", "delta"];
const ZONES = ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Europe/London", "America/Sao_Paulo", "Asia/Kolkata"];
const IN_FLIGHT = 32;
const IDLE_MILLISECONDS = 60_000;
/** After its last write a fresh fleet tells its accounts, seconds later. */
const SETTLING = 15_000;
/** So long without a look nobody is looked at any more. */
const QUIET = Math.max(3_000, SITES / 10);
/** Far more than any machine needs for one site; who is not done by then never will be. */
const LOOK_LIMIT = 60_000 + SITES * 20;
const NOTICING = 2_000;
/** Its page of metrics counts all sites: asked as often as of a few, that would be most of what is measured. */
const ASK_EVERY = Math.max(100, SITES / 50);
const CLOCK_TICKS = 100;
const ORDER = ["operator", "informer", "pepr", "pepr", "informer", "operator"] as const;

interface Start {
  readonly synced: number;
  /** Operator only: until every site was looked at. */
  readonly looked?: number;
  readonly looks?: number;
  readonly peak: number;
  readonly resident: number;
}

export async function socketSites(world: BenchWorld, program: string): Promise<readonly Figures[]> {
  const folder = mkdtempSync(join(tmpdir(), "rollward-sites-"));
  const url = `sqlite:${join(folder, "inventory.db")}`;
  try {
    installPepr();
    const created = await createSites(world, url);
    const first = await firstTerm(world, program, url);
    const starts: Record<(typeof ORDER)[number], Start[]> = { operator: [], informer: [], pepr: [] };
    for (const who of ORDER) {
      console.error(`starting ${who} over ${SITES} sites …`);
      if (who !== "operator") {
        const peer = await startPeer(who, world, SITES, LOOK_LIMIT);
        starts[who].push(peer);
        peer.stop();
      } else {
        const operator = await world.startOperator(program, ["--inventory", url]);
        starts.operator.push(await operatorStart(operator));
        await operator.stop();
      }
    }
    const idle = await atRest(world, program, url);
    return [startFigures(created, starts), first, idle];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As a person's scripts would: accounts, their windows, enrolled devices, and one site after the other, some at once. Answers creates/s. */
async function createSites({ cluster }: BenchWorld, url: string): Promise<number> {
  const apply = (kind: unknown, object: object) => cluster.create(kind as Kind, object as Draft<KubernetesObject>);
  for (const name of ACCOUNTS) {
    await apply(NAMESPACE, { metadata: { name, labels: { [ACCOUNT_LABEL]: name } } });
    const schedule = { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] };
    await apply(MAINTENANCE_WINDOW, {
      metadata: { namespace: name, name: "sockets" },
      spec: { schedule, timeZone: "Local", notice: "48h" },
    });
    await apply(ACCOUNT_POLICY, { metadata: { namespace: name, name: "account" }, spec: { sockets: { windowRef: { name: "sockets" } } } });
  }
  const sites = planSites({ sites: SITES, zones: ZONES, accounts: ACCOUNTS });
  await enroll(sites, url);
  // SQLite held the event loop for a minute or two: connections that the server closed meanwhile are noticed before one is used.
  await new Promise((resolve) => setTimeout(resolve, NOTICING));
  const begun = performance.now();
  let done = 0;
  const left = sites.values();
  const create = async (): Promise<void> => {
    for (const site of left) {
      await cluster.create(SOCKET_SITE, siteDraft(site));
      done += 1;
      if (done % 5_000 === 0) console.error(`${done} of ${SITES} sites created after ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, create));
  return (SITES / (performance.now() - begun)) * 1000;
}

async function enroll(sites: readonly PlannedSite[], url: string): Promise<void> {
  const inventory = await openInventory(url);
  const at = Date.now();
  for (const { account, sockets } of sites)
    for (const { serial } of sockets) await inventory.enroll({ serial, account, tokenHash: `of ${serial}`, at, oldTokensUntil: at });
  const changed = () => inventory.changed(1_000);
  for (let keys = await changed(); keys.length > 0; keys = await changed()) await inventory.settle(keys);
  await inventory.close();
}

/** The first look at a fleet that nobody has looked at: every site is written once. */
async function firstTerm(world: BenchWorld, program: string, url: string): Promise<Figures> {
  const operator = await world.startOperator(program, ["--inventory", url]);
  const ready = await startToReady(operator, LOOK_LIMIT);
  const { at, looks } = await untilQuiet(operator);
  await new Promise((resolve) => setTimeout(resolve, SETTLING));
  await operator.stop();
  const writes = world.controlPlane.auditEntries((entry) => isWrite(entry) && isSiteOf(entry));
  const perSite = writes.length / SITES;
  return {
    title: "B3: the first term over a fleet that nobody has looked at",
    how: `${SITES} SocketSites without a status, each looked at and written; from ready until nobody is looked at any more`,
    rows: [
      { what: "reconciles a second", value: `${((looks / (at - ready)) * 1000).toFixed(0)} /s (${(looks / SITES).toFixed(2)} a site)` },
      { what: "status writes a second", value: `${((writes.length / (at - ready)) * 1000).toFixed(0)} /s` },
      { what: "writes, a site", value: perSite.toFixed(2), target: "1.00", met: perSite <= 1.001, gated: true },
    ],
  };
}

const isSiteOf = ({ userAgent, objectRef }: { readonly userAgent: string; readonly objectRef?: { readonly resource: string } }) =>
  userAgent.startsWith("rollward/") && objectRef?.resource === SOCKET_SITE.plural;

async function operatorStart(operator: OperatorRun): Promise<Start> {
  const synced = await startToReady(operator, LOOK_LIMIT);
  const { at, looks } = await untilQuiet(operator);
  return { synced, looked: at, looks, ...memoryOf(operator.child.pid!) };
}

interface Looked {
  /** Milliseconds from the spawn until the last look before it was quiet. */
  readonly at: number;
  readonly looks: number;
}

/** Until every site was looked at and nobody is looked at any more; what is written is looked at once more. */
async function untilQuiet(operator: OperatorRun): Promise<Looked> {
  const { spawnedAt, log } = operator;
  let last: Looked = { at: 0, looks: 0 };
  for (;;) {
    const looks = await reconciles(operator, "SocketSite");
    const now = performance.now() - spawnedAt;
    if (looks !== last.looks) last = { at: now, looks };
    else if (looks >= SITES && now - last.at > QUIET) return last;
    if (now > LOOK_LIMIT) throw new Error(`of ${SITES} sites ${looks} looks were counted, and no end: ${log().slice(-2_000)}`);
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
  }
}

/** Looks so far; of one kind, or of all. An operator that ended says so in its own words. */
async function reconciles({ port, child, log }: OperatorRun, kind?: string): Promise<number> {
  const ask = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  // A connection that the server was just closing breaks once.
  const page = await ask()
    .catch(ask)
    .catch((error: unknown) => {
      const how = child.exitCode === null ? "runs" : `ended with ${child.exitCode}`;
      throw new Error(`the operator ${how} and does not answer (${String(error)}): ${log().slice(-4_000)}`);
    });
  const lines = page.split("\n").filter((line) => line.startsWith("rollward_reconcile_seconds_count{"));
  return lines
    .filter((line) => kind === undefined || line.includes(`kind="${kind}"`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/** B9. */
async function atRest(world: BenchWorld, program: string, url: string): Promise<Figures> {
  const operator = await world.startOperator(program, ["--inventory", url]);
  await startToReady(operator, LOOK_LIMIT);
  await untilQuiet(operator);
  await new Promise((resolve) => setTimeout(resolve, SETTLING));
  const since = Date.now();
  const [looks, ticks] = [await reconciles(operator), processorTicks(operator)];
  await new Promise((resolve) => setTimeout(resolve, IDLE_MILLISECONDS));
  const looked = (await reconciles(operator)) - looks;
  const busy = ((processorTicks(operator) - ticks) / CLOCK_TICKS / (IDLE_MILLISECONDS / 1000)) * 100;
  const { resident } = memoryOf(operator.child.pid!);
  const asked = world.controlPlane.auditEntries(({ userAgent, objectRef, requestReceivedTimestamp: at }) => {
    return userAgent.startsWith("rollward/") && objectRef?.resource !== "leases" && Date.parse(at) >= since;
  });
  await operator.stop();
  const peers = [await peerAtRest("informer", world), await peerAtRest("pepr", world)];
  const writes = asked.filter(isWrite).length;
  const reads = asked.filter((entry) => !isWrite(entry) && entry.verb !== "watch").length;
  return {
    title: "B9: at rest",
    how: `${SITES} settled SocketSites for ${IDLE_MILLISECONDS / 1000} s; requests from the API server's audit log, the lease apart and watches that are renewed`,
    rows: [
      { what: "writes", value: String(writes), target: "0", met: writes === 0, gated: true },
      { what: "reads", value: String(reads), target: "0", met: reads === 0 },
      { what: "reconciles of all kinds", value: String(looked), target: "0 but timers" },
      { what: "of one core", value: `${busy.toFixed(1)} %` },
      { what: "resident memory", value: `${resident.toFixed(0)} MB` },
      ...peers.flat(),
    ],
  };
}

async function peerAtRest(who: PeerName, world: BenchWorld): Promise<Row[]> {
  const peer = await startPeer(who, world, SITES, LOOK_LIMIT);
  try {
    await new Promise((resolve) => setTimeout(resolve, SETTLING));
    const ticks = processorTicks(peer);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MILLISECONDS));
    const busy = ((processorTicks(peer) - ticks) / CLOCK_TICKS / (IDLE_MILLISECONDS / 1000)) * 100;
    return [
      { what: `${who}: of one core`, value: `${busy.toFixed(1)} %` },
      { what: `${who}: resident memory`, value: `${memoryOf(peer.child.pid!).resident.toFixed(0)} MB` },
    ];
  } finally {
    peer.stop();
  }
}

/** User and system time of the process, from /proc/PID/stat; what is before its name's last bracket may hold anything. */
function processorTicks({ child }: Pick<OperatorRun, "child">): number {
  const text = readFileSync(`/proc/${child.pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function startFigures(created: number, starts: Record<(typeof ORDER)[number], readonly Start[]>): Figures {
  const { operator, informer, pepr } = starts;
  const of = (some: readonly Start[], field: keyof Start) => some.map((start) => start[field] ?? Number.NaN);
  const ratio = (to: readonly Start[], field: "synced" | "peak" | "resident") =>
    `${(median(of(operator, field)) / median(of(to, field))).toFixed(2)} ×`;
  const rates = of(operator, "looked").map((milliseconds) => (SITES / milliseconds) * 1000);
  const looks = of(operator, "looks").map((count) => count / SITES);
  const memory = (field: "peak" | "resident", what: string): Row[] => [
    { what: `operator, ${what}`, value: spread(of(operator, field), "MB") },
    { what: `informer, ${what}`, value: spread(of(informer, field), "MB") },
    { what: `pepr, ${what}`, value: spread(of(pepr, field), "MB") },
    { what: "  ratio to the informer, to pepr", value: `${ratio(informer, field)}, ${ratio(pepr, field)}` },
  ];
  return {
    title: "B2 and B3: a start over many SocketSites",
    how: `${SITES} settled SocketSites, created at ${created.toFixed(0)}/s, on a real API server; times from the spawn of the process, memory from /proc/PID/status then; order ${ORDER.join(", ")}. The informer is that of @kubernetes/client-node, and pepr (1.1.4) is its watch with the settings that it gives it: both read the objects into memory and decide nothing. The operator is ready with all of its caches, and looks at every site; it may answer that it is ready only when it has looked at many`,
    rows: [
      { what: "operator, start to ready (all caches)", value: spread(of(operator, "synced"), "ms") },
      { what: "operator, start to every site looked at", value: spread(of(operator, "looked"), "ms") },
      { what: "  sites a second, all of the start included", value: spread(rates, "/s") },
      { what: "informer, start to all objects", value: spread(of(informer, "synced"), "ms") },
      { what: "pepr, start to all objects", value: spread(of(pepr, "synced"), "ms") },
      { what: "  ready to all objects: ratio to the informer, to pepr", value: `${ratio(informer, "synced")}, ${ratio(pepr, "synced")}` },
      { what: "looks a site at a start", value: spread(looks, "", 2), target: "1.00" },
      ...memory("peak", "peak memory"),
      ...memory("resident", "memory then"),
    ],
  };
}
