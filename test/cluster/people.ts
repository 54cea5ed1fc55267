import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { startControlPlane, type ControlPlane } from "../../tools/control-plane/run.ts";

const ROOT = join(import.meta.dirname, "../..");
const RBAC = "rbac.authorization.k8s.io";

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

interface Person {
  readonly name: string;
  readonly role: string;
  readonly namespace: string;
}

/** A real API server with our kinds, the namespaces of the samples, and people who have the rights of their role in one namespace. */
export class PeoplesCluster {
  readonly #plane: ControlPlane;

  private constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  static async start(people: readonly Person[]): Promise<PeoplesCluster> {
    const cluster = new PeoplesCluster(await startControlPlane({ users: people.map(({ name }) => ({ name, groups: [] })) }));
    await cluster.#prepare(people);
    return cluster;
  }

  /** The real program, as this user. */
  rollward(user: string, ...words: readonly string[]): Promise<Said> {
    const asked = [join(ROOT, "src/main.ts"), ...words, "--kubeconfig", this.#plane.kubeconfig(user)];
    return promisify(execFile)(process.execPath, asked).then(
      ({ stdout, stderr }) => ({ code: 0, out: stdout, error: stderr }),
      (failed: { code: number; stdout: string; stderr: string }) => ({ code: failed.code, out: failed.stdout, error: failed.stderr }),
    );
  }

  /** As administrator of the cluster. */
  async call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const { status, body: text } = await this.#plane.call("admin", method, path, body);
    expect(status, text).toBeLessThan(300);
    return JSON.parse(text) as Answer;
  }

  kubeconfig(user: string): string {
    return this.#plane.kubeconfig(user);
  }

  stop(): Promise<unknown> {
    return this.#plane.stop();
  }

  async #prepare(people: readonly Person[]): Promise<void> {
    const kubectl = (...args: string[]) =>
      promisify(execFile)(this.#plane.binaries.kubectl, ["--kubeconfig", this.#plane.kubeconfig("admin"), ...args]);
    const files = [join(ROOT, "crds"), join(ROOT, "config/samples/00-namespaces.yaml"), join(ROOT, "config/rbac/people.yaml")];
    await kubectl("create", ...files.flatMap((file) => ["-f", file]));
    await kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all");
    for (const { name, role, namespace } of people) {
      await this.call("POST", `/apis/${RBAC}/v1/namespaces/${namespace}/rolebindings`, {
        metadata: { name: role },
        roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: role },
        subjects: [{ apiGroup: RBAC, kind: "User", name }],
      });
    }
  }
}
