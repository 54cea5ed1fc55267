import type { PopCluster } from "../../../api/pop-cluster.ts";
import type { Draft } from "../../../control/ports.ts";
import { nodeSpecs } from "../../../simulation/nodes/node-fleet.ts";
import { type CastPop, castDraft, NODES_PER_POP, type Tempo, TOKYO, type Versions } from "../cast.ts";

/** The one PoP of the act. */
export const REAL_POP = TOKYO;
export const REAL_NODES = nodeSpecs(REAL_POP.name, NODES_PER_POP);
const REPOSITORY = "registry.example/pop";

/** Images of tools/nodes/install.ts, each a build of its own, and one that is not there. */
export const REAL_VERSIONS = {
  first: "1.0.0",
  good: "2.0.0",
  cannotBePulled: "9.9.9",
  crashes: "3.0.0-crash-loop",
  fixed: "2.1.0",
} satisfies Partial<Versions>;
export type RealVersions = typeof REAL_VERSIONS;

/** The kubelets report every two seconds; a machine with other work to do may miss some reports. */
export const NODE_MONITOR_GRACE_SECONDS = 16;

export const imageOf = (version: string): string => `${REPOSITORY}:${version}`;

const fromField = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

/** The data plane as a kubelet runs it: its pods are told who they are, probed, limited, and have no rights, but for the node's network. */
export const podTemplate = (pop: string, image: string) => ({
  spec: {
    hostNetwork: true,
    terminationGracePeriodSeconds: 5,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "pop",
        image,
        env: [fromField("NODE_NAME", "spec.nodeName"), fromField("POD_UID", "metadata.uid"), { name: "POP", value: pop }],
        ports: [
          { name: "health", containerPort: 8080, hostPort: 8080 },
          { name: "session", containerPort: 7000, hostPort: 7000 },
        ],
        readinessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 1 },
        resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
      },
    ],
  },
});

/** The PoP of the first act, with pods of that image. */
export function realDraft(pop: CastPop, version: string, tempo: Tempo): Draft<PopCluster> {
  const draft = castDraft(pop, version, tempo);
  return { ...draft, spec: { ...draft.spec, template: podTemplate(pop.name, imageOf("${version}")) } };
}
