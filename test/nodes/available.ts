// Whether the tests of this tier can run here. `npm test` makes what they need before it starts them; run alone, they use what is there
// and say in their names why they are skipped.
import { describe } from "vitest";
import { findControlPlane } from "../../tools/control-plane/ensure.ts";
import { whyNoNodes } from "../../tools/nodes/ability.ts";
import { findNodeTools } from "../../tools/nodes/install.ts";

const reason =
  whyNoNodes() ?? ("source" in findControlPlane() && findNodeTools() ? undefined : "what they are made of is not here: npm test makes it");

/** Like `describe`; skipped, with the reason in the name, where no real nodes can run. */
export function describeWithNodes(name: string, tests: () => void): void {
  if (reason === undefined) describe(name, tests);
  else describe.skip(`${name} (no real nodes here: ${reason})`, tests);
}
