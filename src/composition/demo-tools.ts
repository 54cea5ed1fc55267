import type { DemoControlPlane } from "../cli/demo/ports.ts";

type ControlPlane = import("../../tools/control-plane/run.ts").ControlPlane;
type GrantOperatorRights = typeof import("../../tools/control-plane/operator-rights.ts").grantOperatorRights;

/** The published package has no tools; then there is nothing of theirs to be had, and that is said as such. */
class ToolsMissing extends Error {
  override readonly name = "ToolsMissing";
}

/** Loads what a checkout has and a package has not; `sentence` says what to do where it is not there. */
export async function toolsOrNone<Tools>(sentence: string, load: () => Promise<Tools>): Promise<Tools> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new ToolsMissing(sentence);
  }
}

const TOOLS = "../../tools/control-plane/";

/** What starts a control plane. Not literals: the bundle of the product leaves the tools out. */
export async function controlPlaneTools() {
  const [ensure, run, rights] = await Promise.all([
    import(`${TOOLS}ensure.ts`) as Promise<typeof import("../../tools/control-plane/ensure.ts")>,
    import(`${TOOLS}run.ts`) as Promise<typeof import("../../tools/control-plane/run.ts")>,
    import(`${TOOLS}operator-rights.ts`) as Promise<typeof import("../../tools/control-plane/operator-rights.ts")>,
  ]);
  return { ...ensure, ...run, ...rights };
}

/** A control plane of the tools as the demo knows it. */
export const forDemo = (controlPlane: ControlPlane, grantOperatorRights: GrantOperatorRights): DemoControlPlane => ({
  folder: controlPlane.folder,
  kubectl: controlPlane.binaries.kubectl,
  kubeconfig: (user) => controlPlane.kubeconfig(user),
  grantOperatorRights: () => grantOperatorRights(controlPlane, "operator"),
  stop: () => controlPlane.stop(),
});
