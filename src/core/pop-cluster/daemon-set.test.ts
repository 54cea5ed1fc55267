import { expect, it } from "vitest";
import type { PodTemplate } from "../../api/pop-cluster.ts";
import { daemonSetName, hostPortsOf, renderDaemonSet } from "./daemon-set.ts";

const REVISION_LABEL = "rollward.dev.node-restriction.kubernetes.io/revision";
const template = {
  metadata: { labels: { tier: "edge" }, annotations: { scrape: "yes" } },
  spec: {
    hostNetwork: true,
    nodeSelector: { disk: "ssd" },
    tolerations: [{ key: "dedicated", operator: "Exists" }],
    containers: [{ name: "pop", image: "registry.example/pop:${version}" }],
  },
} as unknown as PodTemplate;

it("one DaemonSet a PoP and revision: OnDelete, no owner, selecting pods by both and nodes by the label that names both", () => {
  const rendered = renderDaemonSet("fra1", "rollward-data-plane", "abcdefghij", "1.2.3", template);
  expect(rendered.metadata.name).toBe(daemonSetName("fra1", "abcdefghij"));
  expect(rendered.metadata).not.toHaveProperty("ownerReferences");
  expect(rendered.spec).toMatchObject({
    updateStrategy: { type: "OnDelete" },
    selector: { matchLabels: { "rollward.dev/pop": "fra1", "rollward.dev/revision": "abcdefghij" } },
    template: {
      spec: { nodeSelector: { disk: "ssd", [REVISION_LABEL]: "fra1-abcdefghij" }, containers: [{ image: "registry.example/pop:1.2.3" }] },
    },
  });
});

it("the user's labels, annotations and tolerations stay; our labels win, and our taint is tolerated, or no pod would come to a claimed node", () => {
  const clash = {
    ...template,
    metadata: { ...template.metadata, labels: { tier: "edge", "rollward.dev/pop": "other" } },
  } as unknown as PodTemplate;
  const { template: pod } = renderDaemonSet("fra1", "ns", "abcdefghij", "1.2.3", clash).spec as {
    template: { metadata: { labels: object; annotations: object }; spec: { tolerations: object[] } };
  };
  expect(pod.metadata.labels).toEqual({ tier: "edge", "rollward.dev/pop": "fra1", "rollward.dev/revision": "abcdefghij" });
  expect(pod.metadata.annotations).toEqual({ scrape: "yes" });
  expect(pod.spec.tolerations).toEqual([
    { key: "dedicated", operator: "Exists" },
    { key: "rollward.dev/updating", operator: "Exists", effect: "NoSchedule" },
  ]);
});

it("[P16] host ports are the declared ones, and every declared port of a pod on the host's network", () => {
  const containers = [{ ports: [{ containerPort: 8080 }, { containerPort: 9090, hostPort: 19090 }] }, {}];
  expect(hostPortsOf({ containers })).toEqual([19090]);
  expect(hostPortsOf({ hostNetwork: true, containers })).toEqual([8080, 19090]);
});
