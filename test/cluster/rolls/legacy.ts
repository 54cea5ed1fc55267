import type { DaemonSetObject } from "../../../src/control/kinds.ts";
import type { Draft } from "../../../src/control/ports.ts";
import { DATA_PLANE_NAMESPACE } from "../../../src/simulation/world.ts";

/** A data plane that somebody installed by hand before Rollward came: a DaemonSet of its own on the nodes of one PoP. */
export const legacyDaemonSet = (pop: string, version = "0.9.0"): Draft<DaemonSetObject> => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: `legacy-${pop}`, namespace: DATA_PLANE_NAMESPACE, labels: { app: `legacy-${pop}` } },
  spec: {
    selector: { matchLabels: { app: `legacy-${pop}` } },
    template: {
      metadata: { labels: { app: `legacy-${pop}` } },
      spec: {
        hostNetwork: true,
        nodeSelector: { "rollward.dev/pop": pop },
        terminationGracePeriodSeconds: 2,
        tolerations: [{ operator: "Exists" }],
        containers: [
          {
            name: "pop",
            image: `registry.example/pop:${version}`,
            ports: [
              { name: "health", containerPort: 8080, hostPort: 8080 },
              { name: "session", containerPort: 7000, hostPort: 7000 },
            ],
            readinessProbe: { httpGet: { path: "/healthz", port: 8080 } },
          },
        ],
      },
    },
  },
});
