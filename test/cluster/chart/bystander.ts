/** A pod of others, of a controller, on a node of the PoP: it is moved before the node is drained. */
export const bystander = () => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "bystander", namespace: "others" },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "bystander" } },
    template: {
      metadata: { labels: { app: "bystander" } },
      spec: {
        nodeSelector: { "kubernetes.io/hostname": "fra1-n1" },
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "one", image: "registry.example/tool:1" }],
      },
    },
  },
});
