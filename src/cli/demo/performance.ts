import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { CliIo } from "../io.ts";
import { Refusal } from "../refusal.ts";
import type { Act } from "./act.ts";
import { chosenActs } from "./acts.ts";
import type { DemoOptions } from "./options.ts";
import { EmbeddedStage } from "./embedded-stage.ts";
import { LiveNarrator } from "./live-narrator.ts";
import type { Narrator } from "./narrator.ts";
import { PlainNarrator } from "./plain-narrator.ts";
import type { DemoPorts } from "./ports.ts";
import { RealStage } from "./real-stage.ts";
import { runPlay } from "./run-play.ts";
import type { Stage } from "./stage.ts";

/** Calendar milliseconds per real one: a Sunday around the globe within half a minute. */
const WATCHED_RATE = 4_000;

/** Chooses the stage, plays, and leaves nothing behind. Answers with the exit code. */
export async function demo(io: CliIo, ports: DemoPorts, options: DemoOptions, interrupted: AbortSignal): Promise<ExitCode> {
  const real = options.real === true || options.kubeconfig !== undefined;
  if (options.embedded && real)
    throw new Refusal(EXIT.badInput, "--embedded plays in memory, --real and --kubeconfig do not: write one of them");
  if (options.embedded && options.keep)
    throw new Refusal(EXIT.badInput, "--keep has nothing to stay for in memory: leave it out, or --embedded");
  const acts = chosenActs(options.act);
  if (options.embedded) return playEmbedded(io, ports, acts, interrupted);
  const staged = options.keep === true ? acts.filter(({ inMemory }) => inMemory === undefined) : acts;
  if ((real || options.keep) && acts.every(({ inMemory }) => inMemory !== undefined))
    throw new Refusal(EXIT.badInput, `act ${options.act} plays in memory alone, --real, --kubeconfig and --keep do not: leave them out`);
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
    const code = await playEmbedded(io, ports, acts, interrupted);
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

const playEmbedded = (io: CliIo, ports: DemoPorts, acts: readonly Act[], interrupted: AbortSignal): Promise<ExitCode> =>
  inTurn(acts, async (act) => playOn(await EmbeddedStage.open(act.setting, interrupted), act, io, ports));

/** An act that knows no other stage: it says so, and on a terminal it takes its time, for there is something to see. */
async function playInMemory(io: CliIo, ports: DemoPorts, act: Act, options: DemoOptions, interrupted: AbortSignal): Promise<ExitCode> {
  io.out(`\nAct ${act.number} plays in memory, whatever the other acts play on: ${act.inMemory}.\n`);
  const mostRate = io.isTerminal && !options.fast ? WATCHED_RATE : undefined;
  return playOn(await EmbeddedStage.open(act.setting, interrupted, mostRate), act, io, ports);
}

async function playReal(io: CliIo, ports: DemoPorts, act: Act, options: DemoOptions, interrupted: AbortSignal): Promise<ExitCode> {
  const { setting } = act;
  const tempo = options.fast ? setting.tempos.fast : setting.tempos.usual;
  const own = options.kubeconfig === undefined ? await ports.startControlPlane(interrupted, setting) : undefined;
  // In the control plane's own folder, which goes even when this process is killed.
  const folder = own ? { path: own.folder, remove: () => {} } : ports.makeFolder();
  try {
    interrupted.throwIfAborted();
    const person = own?.kubeconfig("admin") ?? options.kubeconfig!;
    const kubeconfig = { person, operator: own?.kubeconfig("operator") ?? person, nodes: own?.kubeconfig("virtual-nodes") ?? person };
    const place = own ? "on a real control plane" : `on the cluster of ${person}`;
    const stage = await RealStage.open({
      ports,
      setting,
      tempo,
      kubeconfig,
      folder: folder.path,
      place,
      interrupted,
      leaveAsItWas: own === undefined,
      ...(own ? { grantOperatorRights: () => own.grantOperatorRights() } : {}),
    });
    io.out(lookForYourself(act, own?.kubectl ?? "kubectl", person));
    return await playOn(stage, act, io, ports, options.keep ? () => stay(io, interrupted) : undefined);
  } finally {
    folder.remove();
    await own?.stop();
  }
}

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

function lookForYourself({ look }: Act, kubectl: string, kubeconfig: string): string {
  return [
    "Look for yourself, in another terminal:",
    ...look.kubectl.map((words) => `  ${kubectl} --kubeconfig ${kubeconfig} ${words}`),
    ...look.rollward.map((words) => `  npx rollward ${words} --kubeconfig ${kubeconfig}`),
    "",
  ].join("\n");
}
