import pico from "picocolors";
import type { Approval } from "../api/approval.ts";
import type { ClientRollout } from "../api/client-rollout.ts";
import type { PopRollout } from "../api/pop-rollout.ts";
import { APPROVAL } from "../api/resources.ts";
import { ApiError, type Cluster } from "../control/ports.ts";
import { rolloutSummary } from "../core/explain/rollout.ts";
import { cap } from "../core/text.ts";
import type { CliIo } from "./io.ts";
import { dataText, type Format } from "./formats.ts";
import { alignedTable } from "./table.ts";

/** Every rollout that is not over on one line, or an empty text where there is none. */
export function rolloutTable(io: CliIo, rollouts: readonly PopRollout[]): string {
  const open = rollouts.filter(({ status }) => status?.outcome === undefined || status.standing === true);
  if (open.length === 0) return "";
  const heading = ["ROLLOUT", "STATE", "VERSION", "WAVE", "PASSED", "FAILED", "WAITS FOR", "UNTIL", "FINISHES"];
  const rows = open
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map(({ metadata, spec, status = {} }) => [
      metadata.name,
      status.conditions?.find(({ type }) => type === "Progressing")?.reason ?? "Unknown",
      spec.version ?? spec.content?.version ?? "-",
      status.waves?.find(({ state }) => state === "Open")?.name ?? "-",
      status.numbers === undefined ? "-" : `${status.numbers.passed}/${status.numbers.pops}`,
      String(status.numbers?.failed ?? 0),
      status.holds?.[0]?.reason ?? "-",
      status.holds?.[0]?.until ?? "-",
      status.forecast?.finishAt ?? "-",
    ]);
  const [top, ...lines] = alignedTable(heading, rows).trimEnd().split("\n");
  return `${[pico.createColors(io.isTerminal).bold(top), ...lines].join("\n")}\n\n`;
}

/** Those of the fleet namespace; none to whoever may see PoPs and not who decides. */
export async function approvalsIn(cluster: Cluster, namespace: string): Promise<readonly Approval[]> {
  try {
    return await cluster.list(APPROVAL, { namespace });
  } catch (error) {
    if (error instanceof ApiError && error.code === 403) return [];
    throw error;
  }
}

/** What of a reason stands in the table; the whole is what `-o wide` and `rollward explain approval/NAME` are for. */
const SHORT_REASON = 60;
const shortly = (message: string): string => cap(message.split("; ")[0]!, SHORT_REASON);

/** Approvals that do nothing for a rollout that is not over, each with why; an empty text where every one counts. */
export function approvalTable(
  io: CliIo,
  approvals: readonly Approval[],
  rollouts: readonly (PopRollout | ClientRollout)[],
  wide: boolean,
): string {
  const over = new Set(rollouts.filter(isOver).map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const rows = approvals
    .filter(({ spec }) => !over.has(`${spec.for.kind}/${spec.for.name}`))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap(({ metadata, spec, status }) => {
      const accepted = status?.conditions?.find(({ type }) => type === "Accepted");
      if (accepted === undefined || accepted.status === "True") return [];
      return [
        [
          metadata.name,
          spec.for.name,
          spec.actions.join(","),
          spec.approvedBy,
          accepted.reason,
          wide ? accepted.message : shortly(accepted.message),
        ],
      ];
    });
  if (rows.length === 0) return "";
  const [top, ...lines] = alignedTable(["APPROVAL", "FOR", "ACTIONS", "BY", "DOES NOTHING", "WHY"], rows).trimEnd().split("\n");
  return `${[pico.createColors(io.isTerminal).bold(top), ...lines].join("\n")}\n\n`;
}

const isOver = (rollout: PopRollout | ClientRollout): boolean =>
  rollout.kind === "PoPRollout"
    ? rollout.status?.outcome !== undefined
    : rollout.status?.stopped !== undefined || rollout.status?.standingSince !== undefined;

/** One rollout, PoP by PoP in the order of its waves. */
export function oneRollout({ metadata, spec, status = {} }: PopRollout, output: Format): string {
  const assignments = status.assignments ?? [];
  if (output === "json" || output === "yaml") {
    const { stages, waves, numbers, excluded, forecast, holds, outcome, standing } = status;
    const what = spec.version ?? spec.content?.version;
    return dataText(
      { name: metadata.name, version: what, numbers, excluded, outcome, standing, holds, stages, waves, forecast, assignments },
      output,
    );
  }
  const order = (status.waves ?? []).map(({ name }) => name);
  const heading = ["WAVE", "POP", "STATE", "SINCE", "ASKED TO", "NOTE"];
  const rows = assignments
    .toSorted((a, b) => order.indexOf(a.wave) - order.indexOf(b.wave) || (a.pop < b.pop ? -1 : 1))
    .map((one) => [
      one.wave,
      one.pop,
      one.state,
      one.since,
      one.order,
      [one.reason, one.message ?? one.because].filter((text) => text !== undefined).join(": ") || "-",
    ]);
  const table = rows.length === 0 ? "no PoP has been assigned yet\n" : alignedTable(heading, rows);
  const excluded = (status.excluded ?? []).map(({ reason, message }) => `not for ${message} (${reason})\n`).join("");
  return `${metadata.name} ${rolloutSummary(status)}\n${table}${excluded}`;
}
