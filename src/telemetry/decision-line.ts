import type { Decision } from "../core/decision.ts";
import type { Logger } from "./log.ts";

/** What one reconcile did, as one line (architecture: "publish events, metrics, the log line, all from the same Decision"). */
export interface ReconcileReport {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly milliseconds?: number;
  /** Absent when the reconcile ended before it decided. */
  readonly decision?: Decision<unknown, { readonly kind: string }, unknown>;
  readonly error?: unknown;
}

/**
 * Writes the line. A decision that does something is `info`, one that only waits is `debug`: a fleet at rest would otherwise log a
 * line a PoP and hour for nothing.
 */
export function logReconcile(log: Logger, { kind, namespace, name, milliseconds, decision, error }: ReconcileReport): void {
  const fields = { kind, namespace, name, ...(milliseconds === undefined ? {} : { milliseconds: Math.round(milliseconds * 10) / 10 }) };
  if (error !== undefined)
    return log.error(`${kind} ${namespace}/${name}: the reconcile ended with an error and will be repeated`, { ...fields, error });
  if (decision === undefined) return log.debug(`${kind} ${namespace}/${name} is gone`, fields);
  const [hold] = decision.holds;
  const acted = decision.actions.length > 0 || decision.events.length > 0;
  const told = decision.events.map((event) => event.message);
  const waits = hold === undefined ? "nothing holds it" : `${hold.reason}: ${hold.message}`;
  const message = `${kind} ${namespace}/${name}: ${told.length > 0 ? told.join("; ") : waits}`;
  log[acted ? "info" : "debug"](message, {
    ...fields,
    actions: decision.actions.map((action) => action.kind),
    wroteStatus: decision.status !== undefined,
    ...(hold === undefined
      ? {}
      : { rule: hold.rule, reason: hold.reason, ...(hold.until === undefined ? {} : { until: new Date(hold.until).toISOString() }) }),
    ...(decision.wakeAt === undefined ? {} : { wakeAt: new Date(decision.wakeAt).toISOString() }),
  });
}
