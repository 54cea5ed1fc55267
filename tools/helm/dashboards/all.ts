import { CLIENTS_DASHBOARD } from "./clients.ts";
import { FLEET_DASHBOARD } from "./fleet.ts";
import { grafanaJson } from "./grafana.ts";
import { OPERATOR_DASHBOARD } from "./operator.ts";
import { POP_DASHBOARD } from "./pop.ts";
import { SOCKETS_DASHBOARD } from "./sockets.ts";

/** Name of each file → the JSON that Grafana imports. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map([
    ["fleet.json", grafanaJson(FLEET_DASHBOARD)],
    ["pop.json", grafanaJson(POP_DASHBOARD)],
    ["sockets.json", grafanaJson(SOCKETS_DASHBOARD)],
    ["clients.json", grafanaJson(CLIENTS_DASHBOARD)],
    ["operator.json", grafanaJson(OPERATOR_DASHBOARD)],
  ]);
}
