import type { PopCluster } from "../../api/pop-cluster.ts";

/** How PoPs stand, a line each, for whoever has to find out why something is not so. */
export const popsStand = (pops: readonly PopCluster[]): string =>
  pops
    .map(({ metadata, status }) => {
      const { run, holds, nodes, history } = status ?? {};
      const state = run ? `${run.kind} to ${run.version}, ${run.state}` : "no run";
      const steps = (nodes ?? [])
        .map(({ name, step, message }) => `${name} ${step}${message === undefined ? "" : ` (${message})`}`)
        .join(", ");
      const waits = (holds ?? []).map(({ reason, message }) => `${reason}: ${message}`).join("; ") || "nothing";
      const last = (history ?? [])
        .slice(-2)
        .map(({ version, outcome, evidence }) => `${version} ${outcome}${evidence === undefined ? "" : ` (${evidence})`}`);
      return `  ${metadata.name}: ${state}; nodes: ${steps}; waits for ${waits}; before: ${last.join(", ") || "nothing"}\n`;
    })
    .join("");
