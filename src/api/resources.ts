import { ACCOUNT_POLICY } from "./account-policy.ts";
import { APPROVAL } from "./approval.ts";
import { CLIENT_ROLLOUT } from "./client-rollout.ts";
import type { Resource } from "./define-resource.ts";
import { FLEET } from "./fleet.ts";
import { MAINTENANCE_WINDOW } from "./maintenance-window.ts";
import { POP_CLUSTER } from "./pop-cluster.ts";
import { POP_ROLLOUT } from "./pop-rollout.ts";
import { SOCKET_ROLLOUT } from "./socket-rollout.ts";
import { SOCKET_SITE } from "./socket-site.ts";
import { TUNNEL_SITE } from "./tunnel-site.ts";

export { APPROVAL, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE };

/** Every kind of ours, in the order in which people read about them. */
export const allResources: readonly Pick<Resource<unknown>, "apiVersion" | "kind" | "plural" | "namespaced" | "crd">[] = [
  FLEET,
  MAINTENANCE_WINDOW,
  POP_CLUSTER,
  POP_ROLLOUT,
  APPROVAL,
  SOCKET_ROLLOUT,
  CLIENT_ROLLOUT,
  ACCOUNT_POLICY,
  SOCKET_SITE,
  TUNNEL_SITE,
];
