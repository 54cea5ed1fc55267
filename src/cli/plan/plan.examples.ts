import { Terminal } from "../cli.examples.ts";
import type { OpenClients } from "../inventory-option.ts";
import type { CliIo } from "../io.ts";
import { registerPlan } from "../plan.ts";

/** A small fleet as files, and the command as people call it. */
export const NOW = Date.parse("2026-11-13T12:00:00Z");
export const FLEET_FILE = `
apiVersion: rollward.dev/v1alpha1
kind: Fleet
metadata: {namespace: fleet, name: fleet}
spec: {train: {everyWeeks: 2, anchor: 2026-11-22, length: 336h}, maxConcurrentPoPs: 4, maxConcurrentPerRegion: 2}
---
apiVersion: rollward.dev/v1alpha1
kind: MaintenanceWindow
metadata: {namespace: fleet, name: pop-sunday}
spec: {schedule: {weekly: [{day: Sunday, start: "01:00", duration: 4h}]}, timeZone: Local, notice: 0s}
`;
export const POPS = ["fra1 Europe/Berlin", "nyc1 America/New_York"].map((text) => {
  const [name, timeZone] = text.split(" ");
  return `---
apiVersion: rollward.dev/v1alpha1
kind: PoPCluster
metadata: {namespace: fleet, name: ${name}, annotations: {rollward.dev/plan-nodes: "3"}}
spec:
  timeZone: ${timeZone}
  region: ${name}
  nodeSelector: {matchLabels: {rollward.dev/pop: ${name}}}
  windowRef: {name: pop-sunday}
  template: {spec: {containers: [{name: pop, image: pop}]}}
`;
});
export const ROLLOUT = `---
apiVersion: rollward.dev/v1alpha1
kind: PoPRollout
metadata: {namespace: fleet, name: r-2}
spec:
  version: 2.0.0
  requestedBy: release
  startNotBefore: 2026-11-22
  waves: [{name: canary, pops: {count: 1}, bake: 1h}, {name: rest, pops: {percent: 100}, bake: 1h, approval: Required}]
`;

/** One person at a terminal, with files and a cluster. */
export class PlanRun extends Terminal {
  override files: Record<string, string> = {
    "fleet.yaml": FLEET_FILE,
    "pops.yaml": POPS.join(""),
    "release.yaml": ROLLOUT,
    "all.yaml": FLEET_FILE + POPS.join("") + ROLLOUT,
  };

  /** Opens an inventory of Clients; there is none unless a test gives one. */
  open: OpenClients = () => Promise.reject(new Error("there is no inventory here"));

  constructor() {
    super({ now: NOW, commands: (program, io) => registerPlan(program, io, (url) => this.open(url)) });
  }

  /** What was printed, without the line breaks that keep lines short. */
  get unfolded(): string {
    return this.printed.replace(/\n {2,4}(?=\S)/g, " ");
  }

  plan(line: string, more: Partial<CliIo> = {}): Promise<void> {
    return this.run(`plan ${line}`, more);
  }
}
