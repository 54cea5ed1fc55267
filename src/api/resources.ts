import type { Resource } from "./define-resource.ts";
import { FLEET } from "./fleet.ts";
import { MAINTENANCE_WINDOW } from "./maintenance-window.ts";
import { POP_CLUSTER } from "./pop-cluster.ts";

export { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER };

/** Every kind of ours, in the order in which people read about them. */
export const allResources: readonly Pick<Resource<unknown>, "apiVersion" | "kind" | "plural" | "namespaced" | "crd">[] = [
  FLEET,
  MAINTENANCE_WINDOW,
  POP_CLUSTER,
];
