import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { CliIo } from "../io.ts";
import { Refusal } from "../refusal.ts";
import type { Act } from "./act.ts";
import { chosenActs } from "./acts.ts";
import type { DemoOptions } from "./options.ts";
import { type EmbeddedOptions, EmbeddedStage } from "./embedded-stage.ts";
import type { Tempo } from "./cast.ts";
import { LiveNarrator } from "./live-narrator.ts";
import { metricsPort, offerMetrics } from "./metrics-port.ts";
import type { Narrator } from "./narrator.ts";
import { realNodesAct } from "./nodes/act.ts";
import { NODE_MONITOR_GRACE_SECONDS, REAL_NODES } from "./nodes/cast.ts";
import { realGround } from "./nodes/ground.ts";
import { PlainNarrator } from "./plain-narrator.ts";
import type { DemoPorts } from "./ports.ts";
import { RealStage } from "./real-stage.ts";
import { refuseContradictions } from "./refusals.ts";
import { runPlay } from "./run-play.ts";
import type { Stage } from "./stage.ts";
import { virtualGround } from "./virtual-ground.ts";

/** Calendar milliseconds per real one: a Sunday around the globe within half a minute. */
const WATCHED_RATE = 4_000;

/** Chooses the stage, plays, and leaves nothing behind. Answers with the exit code. */
export async function demo(io: CliIo, ports: DemoPorts, options: DemoOptions, interrupted: AbortSignal): Promise<ExitCode> {
  const acts = chosenActs(options.act);
  refuseContradictions(options, acts);
  if (options.metrics !== undefined) await offerMetrics(io, ports, metricsPort(options.metrics));
  if (options.realNodes) return playOnRealNodes(io, ports, options, interrupted);
  if (options.embedded) return playEmbedded(io, ports, acts, options, interrupted);
  const real = options.real === true || options.kubeconfig !== undefined;
  const staged = options.keep === true ? acts.filter(({ inMemory }) => inMemory === undefined) : acts;
  try {
    return await inTurn(staged, (act, isLast) =>
      act.inMemory === undefined
        ? playReal(io, ports, act, { ...options, keep: isLast && options.keep === true }, interrupted)
        : playInMemory(io, ports, act, options, interrupted),
    );
  } catch (error) {
    if (!ports.isUnavailable(error)) throw error;
    const reason = (error as Error).message;
    if (real) throw new Refusal(EXIT.unavailable, `${reason} The demo was asked to be real, so it does not play in memory instead.`);
    io.error(`${reason}\nSo the demo plays in memory; it ends with ${EXIT.unavailable}, because that is not what was asked for.\n`);
    const code = await playEmbedded(io, ports, acts, options, interrupted);
    return code === EXIT.ok ? EXIT.unavailable : code;
  }
}

/** Each act on a stage of its own; what follows an act that is not true is not played. */
async function inTurn(acts: readonly Act[], play: (act: Act, isLast: boolean) => Promise<ExitCode>): Promise<ExitCode> {
  for (const act of acts) {
    const code = await play(act, act === acts.at(-1));
    if (code !== EXIT.ok) return code;
  }
  return EXIT.ok;
}

function playEmbedded(
  io: CliIo,
  ports: DemoPorts,
  acts: readonly Act[],
  options: DemoOptions,
  interrupted: AbortSignal,
): Promise<ExitCode> {
  const watched = exporterOf(ports, options);
  return inTurn(acts, async (act) => playOn(await EmbeddedStage.open(act.setting, interrupted, watched), act, io, ports));
}

const exporterOf = (ports: DemoPorts, { metrics }: DemoOptions): Pick<EmbeddedOptions, "openExporter"> =>
  metrics === undefined ? {} : { openExporter: (now) => ports.openExporter(metricsPort(metrics), now) };

/** An act that knows no other stage: it says so, and where somebody watches it takes its time, for there is something to see. */
async function playInMemory(io: CliIo, ports: DemoPorts, act: Act, options: DemoOptions, interrupted: AbortSignal): Promise<ExitCode> {
  io.out(`\nAct ${act.number} plays in memory, whatever the other acts play on: ${act.inMemory}.\n`);
  const isWatched = io.isTerminal || options.metrics !== undefined;
  const mostRate = isWatched && !options.fast ? WATCHED_RATE : undefined;
  return playOn(await EmbeddedStage.open(act.setting, interrupted, { mostRate, ...exporterOf(ports, options) }), act, io, ports);
}

async function playReal(io: CliIo, ports: DemoPorts, act: Act, options: DemoOptions, interrupted: AbortSignal): Promise<ExitCode> {
  const { setting } = act;
  const own = options.kubeconfig === undefined ? await ports.startControlPlane(interrupted, setting) : undefined;
  // In the control plane's own folder, which goes even when this process is killed.
  const folder = own ? { path: own.folder, remove: () => {} } : ports.makeFolder();
  try {
    interrupted.throwIfAborted();
    const person = own?.kubeconfig("admin") ?? options.kubeconfig!;
    const place = own ? "on a real control plane" : `on the cluster of ${person}`;
    const stage = await RealStage.open({
      ports,
      setting,
      tempo: tempoOf(act, options),
      kubeconfig: { person, operator: own?.kubeconfig("operator") ?? person },
      openNodes: virtualGround(ports, own?.kubeconfig("virtual-nodes") ?? person, setting.heartbeatMilliseconds),
      folder: folder.path,
      place,
      interrupted,
      leaveAsItWas: own === undefined,
      metricsPort: options.metrics === undefined ? undefined : metricsPort(options.metrics),
      ...(own ? { grantOperatorRights: () => own.grantOperatorRights() } : {}),
    });
    io.out(lookForYourself(act, own?.kubectl ?? "kubectl", person));
    return await playOn(stage, act, io, ports, options.keep ? () => stay(io, interrupted) : undefined);
  } finally {
    folder.remove();
    await own?.stop();
  }
}

/** The act that plays on real nodes: they and their control plane come first, because the operator is started in their network. */
async function playOnRealNodes(io: CliIo, ports: DemoPorts, options: DemoOptions, interrupted: AbortSignal): Promise<ExitCode> {
  const say = (sentence: string): void => io.out(`${sentence}\n`);
  const wanted = { nodes: REAL_NODES, nodeMonitorGraceSeconds: NODE_MONITOR_GRACE_SECONDS, say };
  const { controlPlane, nodes } = await ports.startRealNodes(interrupted, wanted).catch((error: unknown) => {
    if (!ports.isUnavailable(error)) throw error;
    throw new Refusal(EXIT.unavailable, `${(error as Error).message} ${INSTEAD_OF_REAL_NODES}`);
  });
  try {
    const act = realNodesAct(nodes);
    const person = controlPlane.kubeconfig("admin");
    const stage = await RealStage.open({
      ports,
      setting: act.setting,
      tempo: tempoOf(act, options),
      kubeconfig: { person, operator: controlPlane.kubeconfig("operator") },
      openNodes: realGround(nodes),
      folder: controlPlane.folder,
      place: "on four real nodes and a real control plane",
      interrupted,
      leaveAsItWas: false,
      grantOperatorRights: () => controlPlane.grantOperatorRights(),
    });
    io.out(lookForYourself(act, controlPlane.kubectl, person));
    return await playOn(stage, act, io, ports, options.keep ? () => stay(io, interrupted) : undefined);
  } finally {
    await nodes.stop();
    await controlPlane.stop();
  }
}

const INSTEAD_OF_REAL_NODES =
  "The demo was asked for real nodes, so it does not play on others instead: npm run demo -- --real --act 1 plays on a real control plane with virtual nodes, " +
  "and needs no root; npm run demo -- --embedded plays in memory.";

async function playOn(stage: Stage, act: Act, io: CliIo, ports: DemoPorts, atTheEnd?: () => Promise<void>): Promise<ExitCode> {
  io.out(`\nAct ${act.number}: ${act.title}\n`);
  const narrator: Narrator = io.isTerminal
    ? new LiveNarrator({ write: io.out, size: () => ports.terminalSize() })
    : new PlainNarrator(io.out);
  try {
    const code = await runPlay({ act, stage, narrator, out: io.out });
    await atTheEnd?.();
    return code;
  } finally {
    narrator.close();
    await stage.close();
  }
}

async function stay(io: CliIo, interrupted: AbortSignal): Promise<void> {
  io.out("\nEverything stays as it is, for you to look around. Ctrl-C ends it and removes everything.\n");
  // Signals alone do not keep a process alive.
  const alive = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) =>
    interrupted.aborted ? resolve() : interrupted.addEventListener("abort", () => resolve(), { once: true }),
  );
  clearInterval(alive);
}

const tempoOf = ({ setting: { tempos } }: Act, { fast }: DemoOptions): Tempo => (fast ? tempos.fast : tempos.usual);

function lookForYourself({ look }: Act, kubectl: string, kubeconfig: string): string {
  return [
    "Look for yourself, in another terminal:",
    ...look.kubectl.map((words) => `  ${kubectl} --kubeconfig ${kubeconfig} ${words}`),
    ...look.rollward.map((words) => `  npx rollward ${words} --kubeconfig ${kubeconfig}`),
    "",
  ].join("\n");
}
