// Whether the tests of this tier can run here. `npm test` installs the control plane before it starts them; run alone, they use
// what is there and say in their names why they are skipped.
import { describe } from "vitest";
import { findControlPlane, type ControlPlaneBinaries } from "../../../tools/control-plane/ensure.ts";

const found = findControlPlane();

const binaries: ControlPlaneBinaries | undefined = "source" in found ? found : undefined;

/** Like `describe`; skipped, with the reason in the name, where there is no control plane. */
export function describeWithControlPlane(name: string, tests: () => void): void {
  if (binaries !== undefined) describe(name, tests);
  else describe.skip(`${name} (no control plane here: npm run control-plane installs one)`, tests);
}
