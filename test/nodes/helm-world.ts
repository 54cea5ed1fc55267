import { execFile } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { DAYS } from "../../src/api/maintenance-window.ts";
import { LEASE } from "../../src/control/kinds.ts";
import { FLEET_NAMESPACE } from "../../src/simulation/world.ts";
import type { NodeAddress } from "../../src/simulation/nodes/node-fleet.ts";
import { startControlPlane } from "../../tools/control-plane/run.ts";
import { ensureImageTools } from "../../tools/image/install.ts";
import { makeImage } from "../../tools/image/make.ts";
import { addImage } from "../../tools/nodes/images.ts";
import { ensureNodeTools, REGISTRY } from "../../tools/nodes/install.ts";
import { controlPlaneFor, RealNodes } from "../../tools/nodes/run.ts";
import { CHART, helm, objectsOf, type Rendered, ROOT, type Said } from "../cluster/chart/helm.ts";
import { ClusterWorld, type Ground, untouchedGround } from "../cluster/rolls/cluster-world.ts";

const run = promisify(execFile);
const NODE_MONITOR_GRACE_SECONDS = 16;
/** Of no PoP: where the operator's pods would rather be. */
const HUBS = ["hub1", "hub2"];

/** A pod, as far as these tests look at it. */
export interface OperatorPod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string; readonly uid: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly containerStatuses?: readonly { readonly imageID: string; readonly ready: boolean; readonly restartCount: number }[];
  };
}

/**
 * Real nodes of one PoP and two of none; the operator's image is built and served to them, and nothing else of ours is there before the
 * chart is installed. The calendar is the machine's: pods know no other.
 */
export class HelmWorld extends ClusterWorld {
  readonly nodes: RealNodes;
  /** Of the operator's image: sha256:… */
  readonly image: string;
  /** The name of the PoP, whose nodes are `<pop>-n1`, `<pop>-n2`, … */
  readonly name: string;
  readonly #images: string;

  private constructor(ground: Ground, nodes: RealNodes, image: string, name: string, images: string) {
    super(ground);
    this.nodes = nodes;
    this.image = image;
    this.name = name;
    this.#images = images;
  }

  static async start(pop: string, count: number): Promise<HelmWorld> {
    const tools = await ensureNodeTools();
    const members = Array.from({ length: count }, (_, index) => `${pop}-n${index + 1}`);
    const names = [...members, ...HUBS];
    const images = mkdtempSync(join(tmpdir(), "rollward-images-"));
    try {
      const made = await makeImage(join(images, "made"), await ensureImageTools());
      const store = join(images, "store");
      cpSync(tools.images, store, { recursive: true });
      const image = addImage(store, "rollward:test", made.layout);
      const controlPlane = await startControlPlane({ ...controlPlaneFor(names), nodeMonitorGraceSeconds: NODE_MONITOR_GRACE_SECONDS });
      try {
        const labels = (name: string): Record<string, string> => (members.includes(name) ? { "rollward.dev/pop": pop } : {});
        const all = names.map((name) => ({ name, labels: labels(name) }));
        const nodes = await RealNodes.start(controlPlane, { ...tools, images: store }, all);
        const ground = untouchedGround(controlPlane, Date.now());
        const addresses = members.map((name): NodeAddress => ({ name, pop, address: nodes.address(name) }));
        writeFileSync(ground.directory, JSON.stringify(addresses));
        return new HelmWorld({ ...ground, enter: nodes.enter }, nodes, image, pop, images);
      } catch (error) {
        await controlPlane.stop();
        throw error;
      }
    } catch (error) {
      rmSync(images, { recursive: true, force: true });
      throw error;
    }
  }

  /** helm install or upgrade of the release, with these values beside the image; its words if it fails. */
  async release(command: "install" | "upgrade", ...values: readonly string[]): Promise<Said> {
    const image = [`image.repository=${REGISTRY}/rollward`, `image.digest=${this.image}`];
    const settings = [...image, ...values].flatMap((value) => ["--set", value]);
    return this.#helm(command, "rollward", CHART, "--namespace", FLEET_NAMESPACE, ...settings, "--wait", "--timeout", "120s");
  }

  uninstall(): Promise<Said> {
    return this.#helm("uninstall", "rollward", "--namespace", FLEET_NAMESPACE, "--wait", "--timeout", "120s");
  }

  async #helm(...args: readonly string[]): Promise<Said> {
    const said = await helm(args, this.controlPlane.kubeconfig("admin"));
    if (said.failed) throw new Error(`helm ${args[0]} failed: ${said.stderr}\n${this.operatorLog().slice(-2_000)}`);
    return said;
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    const settings = { maxBuffer: 16_000_000 };
    return (await run(this.controlPlane.binaries.kubectl, ["--kubeconfig", this.controlPlane.kubeconfig("admin"), ...args], settings))
      .stdout;
  }

  async get<Found = Rendered>(...args: readonly string[]): Promise<Found[]> {
    return (JSON.parse(await this.kubectl("get", "-o", "json", ...args)) as { items: Found[] }).items;
  }

  /** A sample of config/samples, its specification changed to what fits a test. */
  async applySample(file: string, change: (spec: Record<string, unknown>) => object): Promise<void> {
    const [object] = objectsOf(readFileSync(join(ROOT, "config", "samples", file), "utf8"));
    const path = join(this.folder, "sample.json");
    writeFileSync(path, JSON.stringify({ ...object, spec: change(object!["spec"] as Record<string, unknown>) }));
    await this.kubectl("apply", "-f", path);
  }

  /** The samples of a fleet, its window, which is always open here, and a PoP. */
  async applySamples(pop: (spec: Record<string, unknown>) => object): Promise<void> {
    const weekly = DAYS.map((day) => ({ day, start: "00:00", duration: "24h" }));
    // The sample's freeze is at the end of a year, when tests run too.
    await this.applySample("fleet.yaml", (spec) => ({ ...spec, freezes: [] }));
    await this.applySample("maintenance-window-pop-sunday.yaml", (spec) => ({ ...spec, schedule: { weekly } }));
    await this.applySample(`popcluster-${this.name}.yaml`, pop);
  }

  /** The operator's pods that are not going away. */
  async operatorPods(): Promise<OperatorPod[]> {
    const pods = await this.get<OperatorPod>("-n", FLEET_NAMESPACE, "pods", "-l", "app.kubernetes.io/component=operator");
    return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** The name of the pod that leads, by the lease; undefined where nobody does. */
  async leader(): Promise<string | undefined> {
    const lease = await this.cluster.get(LEASE, "rollward", FLEET_NAMESPACE);
    const holder = lease?.spec?.holderIdentity ?? "";
    // A pod's name and four random bytes.
    return holder === "" ? undefined : holder.replace(/-[0-9a-f]{8}$/, "");
  }

  /** What each node of the PoP serves, by its own word and from outside of it; undefined where it does not. */
  async served(): Promise<Record<string, string | undefined>> {
    const members = this.addresses(this.name).map(async ({ name }): Promise<[string, string | undefined]> => {
      const answer = await this.nodes.ask(name, "/healthz");
      const health = answer?.status === 200 ? (JSON.parse(answer.body) as { version: string; draining: boolean }) : undefined;
      return [name, health === undefined || health.draining ? undefined : health.version];
    });
    return Object.fromEntries(await Promise.all(members));
  }

  /** Everything that the operator's containers wrote, on whichever node; kubectl logs has no way into the nodes' network. */
  override operatorLog(): string {
    const files = globSync(`*/log/pods/${FLEET_NAMESPACE}_rollward-*/*/*.log`, { cwd: this.nodes.folder });
    return files.map((file) => `${file}:\n${readFileSync(join(this.nodes.folder, file), "utf8")}`).join("\n");
  }

  protected async stopNodes(): Promise<void> {
    await this.nodes.stop();
    rmSync(this.#images, { recursive: true, force: true });
  }
}
