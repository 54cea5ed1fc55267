// npm run control-plane: makes sure of the control plane and says where it is.
import { ControlPlaneUnavailable, ensureControlPlane } from "./ensure.ts";

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());
process.once("SIGTERM", () => interrupted.abort());

try {
  const { source, directory } = await ensureControlPlane({ signal: interrupted.signal });
  process.stdout.write(`The control plane is in ${directory} (source: ${source}).\n`);
} catch (error) {
  if (!(error instanceof ControlPlaneUnavailable)) throw error;
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
  const lines = interrupted.signal.aborted
    ? ["Interrupted. Run the command again: it goes on where it was."]
    : ["No control plane is to be had:", ...error.reasons.map((reason) => `  - ${reason}`)];
  process.stderr.write(`${lines.join("\n")}\n`);
}
