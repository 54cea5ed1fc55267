import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { CliIo } from "../io.ts";
import { Refusal } from "../refusal.ts";
import { FAST_TEMPO, USUAL_TEMPO } from "./cast.ts";
import type { DemoOptions } from "./demo.ts";
import { EmbeddedStage } from "./embedded-stage.ts";
import { LiveNarrator } from "./live-narrator.ts";
import type { Narrator } from "./narrator.ts";
import { PlainNarrator } from "./plain-narrator.ts";
import type { DemoPorts } from "./ports.ts";
import { RealStage } from "./real-stage.ts";
import { runPlay } from "./run-play.ts";
import type { Stage } from "./stage.ts";

/** Chooses the stage, plays, and leaves nothing behind. Answers with the exit code. */
export async function demo(io: CliIo, ports: DemoPorts, options: DemoOptions, interrupted: AbortSignal): Promise<ExitCode> {
  const real = options.real === true || options.kubeconfig !== undefined;
  if (options.embedded && real)
    throw new Refusal(EXIT.badInput, "--embedded plays in memory, --real and --kubeconfig do not: write one of them");
  if (options.embedded && options.keep)
    throw new Refusal(EXIT.badInput, "--keep has nothing to stay for in memory: leave it out, or --embedded");
  if (options.embedded) return playEmbedded(io, ports, interrupted);
  try {
    return await playReal(io, ports, options, interrupted);
  } catch (error) {
    if (!ports.isUnavailable(error)) throw error;
    const reason = (error as Error).message;
    if (real) throw new Refusal(EXIT.unavailable, `${reason} The demo was asked to be real, so it does not play in memory instead.`);
    io.error(`${reason}\nSo the demo plays in memory; it ends with ${EXIT.unavailable}, because that is not what was asked for.\n`);
    const code = await playEmbedded(io, ports, interrupted);
    return code === EXIT.ok ? EXIT.unavailable : code;
  }
}

async function playEmbedded(io: CliIo, ports: DemoPorts, interrupted: AbortSignal): Promise<ExitCode> {
  return playOn(await EmbeddedStage.open(interrupted), io, ports);
}

async function playReal(io: CliIo, ports: DemoPorts, options: DemoOptions, interrupted: AbortSignal): Promise<ExitCode> {
  const tempo = options.fast ? FAST_TEMPO : USUAL_TEMPO;
  const own = options.kubeconfig === undefined ? await ports.startControlPlane(interrupted) : undefined;
  // In the control plane's own folder, which goes even when this process is killed.
  const folder = own ? { path: own.folder, remove: () => {} } : ports.makeFolder();
  try {
    interrupted.throwIfAborted();
    const person = own?.kubeconfig("admin") ?? options.kubeconfig!;
    const kubeconfig = { person, operator: own?.kubeconfig("operator") ?? person, nodes: own?.kubeconfig("virtual-nodes") ?? person };
    const place = own ? "on a real control plane" : `on the cluster of ${person}`;
    const stage = await RealStage.open({
      ports,
      tempo,
      kubeconfig,
      folder: folder.path,
      place,
      interrupted,
      leaveAsItWas: own === undefined,
      ...(own ? { grantOperatorRights: () => own.grantOperatorRights() } : {}),
    });
    io.out(lookForYourself(own?.kubectl ?? "kubectl", person));
    return await playOn(stage, io, ports, options.keep ? () => stay(io, interrupted) : undefined);
  } finally {
    folder.remove();
    await own?.stop();
  }
}

async function playOn(stage: Stage, io: CliIo, ports: DemoPorts, atTheEnd?: () => Promise<void>): Promise<ExitCode> {
  const narrator: Narrator = io.isTerminal
    ? new LiveNarrator({ write: io.out, size: () => ports.terminalSize() })
    : new PlainNarrator(io.out);
  try {
    const code = await runPlay({ stage, narrator, out: io.out });
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

function lookForYourself(kubectl: string, kubeconfig: string): string {
  const line = (rest: string) => `  ${kubectl} --kubeconfig ${kubeconfig} ${rest}\n`;
  return (
    "Look for yourself, in another terminal:\n" +
    line("-n fleet get popclusters --watch") +
    line("get nodes -L rollward.dev.node-restriction.kubernetes.io/revision") +
    line("-n rollward-data-plane get pods -o wide") +
    line("-n fleet get events.events.k8s.io --sort-by .metadata.creationTimestamp") +
    `  npx rollward explain pop/tyo1 --kubeconfig ${kubeconfig}\n`
  );
}
