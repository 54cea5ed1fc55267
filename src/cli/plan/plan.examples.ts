import { Command } from "commander";
import { APPROVAL, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE } from "../../api/resources.ts";
import { VirtualClock } from "../../simulation/clock.ts";
import { customKind } from "../../simulation/cluster/custom-kind.ts";
import { InMemoryCluster } from "../../simulation/cluster/in-memory-cluster.ts";
import { Store } from "../../simulation/cluster/store.ts";
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
export class PlanRun {
  files: Record<string, string> = {
    "fleet.yaml": FLEET_FILE,
    "pops.yaml": POPS.join(""),
    "release.yaml": ROLLOUT,
    "all.yaml": FLEET_FILE + POPS.join("") + ROLLOUT,
  };
  printed = "";
  complaint = "";
  code: number | undefined;
  readonly clock = new VirtualClock(NOW);
  readonly cluster: InMemoryCluster;
  readonly #store: Store;

  constructor() {
    const kinds = [FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, APPROVAL, TUNNEL_SITE].map((resource) => customKind(resource));
    this.#store = new Store({ clock: this.clock, kinds });
    this.cluster = new InMemoryCluster(this.#store, { clock: this.clock });
  }

  /** What was printed, without the line breaks that keep lines short. */
  get unfolded(): string {
    return this.printed.replace(/\n {2,4}(?=\S)/g, " ");
  }

  async plan(line: string, more: Partial<CliIo> = {}): Promise<void> {
    [this.printed, this.complaint, this.code] = ["", "", undefined];
    const io: CliIo = {
      out: (text) => void (this.printed += text),
      error: (text) => void (this.complaint += text),
      isTerminal: false,
      connect: async () => new InMemoryCluster(this.#store, { clock: this.clock }),
      now: () => NOW,
      readFile: async (path) => this.files[path] ?? Promise.reject(new Error("no such file")),
      exit: (given) => void (this.code = given),
      ...more,
    };
    const program = new Command("rollward").exitOverride();
    registerPlan(program, io);
    await program.parseAsync(["plan", ...line.split(" ").filter((word) => word !== "")], { from: "user" });
  }
}
