import { describe, expect, test } from "vitest";
import type { NodeObject, PodSpec, Taint } from "../../control/kinds.ts";
import { daemonTolerations, hostPorts, selectsNode, untolerated, type Toleration } from "./node-fit.ts";

const node = (labels: Record<string, string>, taints: readonly Taint[] = []): NodeObject => ({
  metadata: { name: "n1", uid: "u", resourceVersion: "1", labels },
  spec: { taints },
});
const spec = (fields: object): PodSpec => ({ containers: [], ...fields });
const affinity = (...nodeSelectorTerms: object[]) => ({
  nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
});
const expression = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] });

describe("which nodes a pod may be on", () => {
  test("nodeSelector and affinity both have to match; of several terms one is enough", () => {
    const fra = node({ pop: "fra1", tier: "1" });
    const nodeSelector = { pop: "fra1" };
    expect(selectsNode(spec({ nodeSelector }), fra)).toBe(true);
    expect(selectsNode(spec({ nodeSelector, affinity: affinity(expression("tier", "In", "2")) }), fra)).toBe(false);
    expect(selectsNode(spec({ nodeSelector, affinity: affinity(expression("tier", "In", "2"), expression("tier", "Exists")) }), fra)).toBe(
      true,
    );
    expect(selectsNode(spec({ nodeSelector: { pop: "tyo1" }, affinity: affinity(expression("tier", "Exists")) }), fra)).toBe(false);
  });

  test("all expressions of a term have to match, an empty term matches nothing, no term neither", () => {
    const both = {
      matchExpressions: [
        { key: "pop", operator: "Exists" },
        { key: "revision", operator: "DoesNotExist" },
      ],
    };
    expect([
      selectsNode(spec({ affinity: affinity(both) }), node({ pop: "x" })),
      selectsNode(spec({ affinity: affinity(both) }), node({ pop: "x", revision: "1" })),
    ]).toEqual([true, false]);
    expect([selectsNode(spec({ affinity: affinity({}) }), node({})), selectsNode(spec({ affinity: affinity() }), node({}))]).toEqual([
      false,
      false,
    ]);
  });

  test("a matchFields term on metadata.name selects one node", () => {
    const named = (name: string) =>
      spec({ affinity: affinity({ matchFields: [{ key: "metadata.name", operator: "In", values: [name] }] }) });
    expect([selectsNode(named("n1"), node({})), selectsNode(named("n2"), node({}))]).toEqual([true, false]);
  });

  test.each<[string, Toleration, boolean]>([
    ["same key, value and effect", { key: "k", value: "v", effect: "NoSchedule" }, true],
    ["another value", { key: "k", value: "w", effect: "NoSchedule" }, false],
    ["any value", { key: "k", operator: "Exists" }, true],
    ["another effect", { key: "k", operator: "Exists", effect: "NoExecute" }, false],
    ["everything", { operator: "Exists" }, true],
    ["another key", { key: "x", operator: "Exists" }, false],
  ])("a toleration of %s against k=v:NoSchedule: %j is %s", (_, toleration, expected) => {
    const tainted = node({}, [{ key: "k", value: "v", effect: "NoSchedule" }]);
    expect(untolerated(spec({ tolerations: [toleration] }), tainted, ["NoSchedule"]).length === 0).toBe(expected);
  });

  test("PreferNoSchedule keeps nobody out", () => {
    expect(untolerated(spec({}), node({}, [{ key: "k", effect: "PreferNoSchedule" }]), ["NoSchedule", "NoExecute"])).toEqual([]);
  });

  test("a DaemonSet's pod tolerates its node's own troubles, but not-ready only as NoExecute; no network only with hostNetwork", () => {
    const trouble = (name: string, effect: Taint["effect"]) => node({}, [{ key: `node.kubernetes.io/${name}`, effect }]);
    const stays = (hostNetwork: boolean, name: string, effect: Taint["effect"]) => {
      const tolerant = spec({ hostNetwork, tolerations: daemonTolerations(spec({ hostNetwork })) });
      return untolerated(tolerant, trouble(name, effect), [effect]).length === 0;
    };
    for (const name of ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"])
      expect(stays(false, name, "NoSchedule"), name).toBe(true);
    expect([stays(false, "not-ready", "NoExecute"), stays(false, "not-ready", "NoSchedule")]).toEqual([true, false]);
    expect([stays(false, "network-unavailable", "NoSchedule"), stays(true, "network-unavailable", "NoSchedule")]).toEqual([false, true]);
  });

  test("host ports are told apart by protocol", () => {
    const ports = [{ containerPort: 80, hostPort: 8080 }, { containerPort: 53, hostPort: 53, protocol: "UDP" }, { containerPort: 9 }];
    expect(hostPorts(spec({ containers: [{ name: "c", image: "i", ports }] }))).toEqual(["TCP/8080", "UDP/53"]);
  });
});
