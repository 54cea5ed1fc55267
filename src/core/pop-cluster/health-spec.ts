import type { HttpEndpoint, PopClusterSpec } from "../../api/pop-cluster.ts";
import type { PopView } from "./view.ts";

export type PopHealthSpec = PopClusterSpec["health"];

/** The checks that count: those frozen when the run began (rule G4). */
export const healthSpec = (view: PopView): PopHealthSpec =>
  (view.run?.frozen.health as PopHealthSpec | undefined) ?? view.seen.pop.spec.health;

/** The address of an endpoint on a host; IPv6 in brackets. */
export const urlOf = (host: string, endpoint: HttpEndpoint): string =>
  `${endpoint.scheme.toLowerCase()}://${host.includes(":") ? `[${host}]` : host}:${endpoint.port}${endpoint.path.startsWith("/") ? "" : "/"}${endpoint.path}`;
