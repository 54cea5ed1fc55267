import { type ClientRollout, defaultGate } from "../api/client-rollout.ts";
import { numbersText } from "../core/explain/client-rollout.ts";
import type { ApproveOptions, Waiting } from "./approve-options.ts";
import { EXIT } from "./exit-codes.ts";
import { Refusal } from "./refusal.ts";

/** The stage of a rollout of Clients that cannot be judged, with its numbers: an Approval opens the next one (rule C4). */
export function clientsWaiting(rollout: ClientRollout, options: ApproveOptions): Waiting {
  const { metadata, spec, status = {} } = rollout;
  const name = `ClientRollout ${metadata.name}`;
  const refuse = (why: string): never => {
    throw new Refusal(EXIT.nothingToActOn, `${name}: ${why}; nothing was written`);
  };
  if (options.wave !== undefined || options.freeze.length > 0)
    throw new Refusal(EXIT.badInput, "a rollout of Clients has stages, and neither waves nor freezes; leave --wave and --freeze out");
  if (options.action !== undefined && options.action !== "Promote")
    throw new Refusal(EXIT.badInput, `of a rollout of Clients a stage is approved; leave --action out, or write --action Promote`);
  const open = (status.stages ?? []).findLast(({ endedAt }) => endedAt === undefined);
  const { digest } = status;
  if (digest === undefined || open === undefined) return refuse(`nothing waits for an approval${whatElse(status)}`);
  if (options.stage !== undefined && options.stage !== open.name)
    return refuse(`stage ${options.stage} waits for nobody; ${open.name} does, write --stage ${open.name} or leave it out`);
  if (options.digest !== undefined && options.digest !== digest)
    return refuse(
      `what waits has digest ${digest}, not ${options.digest}: it changed since; look at it again (rollward explain cliro/${metadata.name})`,
    );
  const counted = open.numbers === undefined ? "not counted" : numbersText(open.numbers);
  const gate = gateOf(spec, open.name);
  return { actions: ["Promote"], digest, subject: `${name}, stage ${open.name}`, shown: `Stage ${open.name}: ${counted}; ${gate}.` };
}

/** What holds it instead, so that nobody looks for an approval that is not asked for. */
const whatElse = ({ holds = [] }: NonNullable<ClientRollout["status"]>): string =>
  holds[0] === undefined ? "" : ` (it waits for ${holds[0].reason}: ${holds[0].message})`;

/** What the gate of a stage asks for. */
export function gateOf({ pilot, phases, exposedGate }: ClientRollout["spec"], stage: string): string {
  const phase = /^phase-(\d+)$/.exec(stage)?.[1];
  const gate =
    stage === "pilot"
      ? { ...pilot, attemptedAtLeast: pilot.minimumDevices }
      : stage === "exposed"
        ? (exposedGate ?? defaultGate)
        : (phases[Number(phase) - 1]?.gate ?? defaultGate);
  return `its gate: at most ${gate.failedPercentAtMost} % failed of at least ${gate.attemptedAtLeast} attempted, patience ${gate.patience}`;
}
