// One real node in a process of its own, for tests of what is left when that process ends. Prints the folder of its servers as JSON.
import { startControlPlane } from "../../tools/control-plane/run.ts";
import { ensureNodeTools } from "../../tools/nodes/install.ts";
import { controlPlaneFor, RealNodes } from "../../tools/nodes/run.ts";

const tools = await ensureNodeTools();
const controlPlane = await startControlPlane(controlPlaneFor(["only"]));
const nodes = await RealNodes.start(controlPlane, tools, [{ name: "only", labels: {} }]);
process.stdout.write(`${JSON.stringify({ type: "ready", folder: nodes.folder })}\n`);
process.once("SIGTERM", () => void nodes.stop().then(() => controlPlane.stop()));
setInterval(() => {}, 60_000);
