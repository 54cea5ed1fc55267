import type { Told } from "../control/told.ts";
import { logReconcile } from "../telemetry/decision-line.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { ClientMetrics } from "../telemetry/client-metrics.ts";
import { queueMetrics } from "../telemetry/operator-metrics.ts";
import { PopMetrics } from "../telemetry/pop-metrics.ts";
import { RolloutMetrics } from "../telemetry/rollout-metrics.ts";
import { SocketMetrics } from "../telemetry/socket-metrics.ts";

/** What the controllers tell, and that they tell nothing more because the term as leader is over. */
export interface Telling extends Told {
  termEnded(): void;
}

/** Metrics and log lines from what the controllers tell. `now` is the operator's calendar clock. */
export function telling(log: Logger, metrics: Metrics, now: () => number): Telling {
  const pops = new PopMetrics(metrics, now);
  const rollouts = new RolloutMetrics(metrics, now);
  const sockets = new SocketMetrics(metrics, now);
  const clients = new ClientMetrics(metrics, now);
  return {
    // The next leader tells the same series: two replicas that tell different states of one PoP are worse than none.
    termEnded: () => {
      pops.clear();
      rollouts.clear();
      sockets.clear();
      clients.clear();
    },
    pop: (pop) => pops.observe(pop),
    popGone: (name, namespace) => pops.forget({ name, namespace }),
    windowBreached: ({ metadata }) => {
      metrics.count("window_breach_total", {});
      log.error(`PoPCluster ${metadata.name}: a node's label left outside the window; this is a defect of the operator, report it`, {
        name: metadata.name,
      });
    },
    fleet: () => {},
    rollout: (rollout) => rollouts.observe(rollout),
    rolloutGone: (name) => rollouts.forget(name),
    site: (site) => sockets.observeSite(site),
    siteGone: (name, namespace) => sockets.forgetSite(name, namespace),
    noticeLate: ({ metadata: { namespace = "", name } }) => {
      metrics.count("notice_late_total", {});
      log.error(
        `SocketSite ${namespace}/${name}: an upgrade was begun with less notice than was promised; this is a defect of the operator, report it`,
        { namespace, name },
      );
    },
    socketRollout: (rollout) => sockets.observeRollout(rollout),
    socketRolloutGone: (name) => sockets.forgetRollout(name),
    clientRollout: (rollout) => clients.observe(rollout),
    clientRolloutGone: (name) => clients.forget(name),
    clientVersions: (rows) => clients.versions(rows),
    clientsFailed: (message, error) => log.error(message, { error }),
    decided: ({ kind, namespace, name, decision }) => logReconcile(log, { kind, namespace, name, decision }),
    forecastFailed: (message, error) => log.error(message, { error }),
    queue: (kind) => ({
      ...queueMetrics(metrics, kind),
      retrying: (name, milliseconds, failures, error) =>
        log.warn(`${kind} ${name} could not be worked on and is tried again in ${Math.round(milliseconds)} ms`, {
          kind,
          name,
          failures,
          error,
        }),
    }),
  };
}
