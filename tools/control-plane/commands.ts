// The command lines of etcd, kube-apiserver, kube-controller-manager and kube-scheduler, and why each flag is there.
import { join } from "node:path";

export interface Layout {
  readonly folder: string;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly apiPort: number;
}

export interface Tuning {
  /** How long a silent node stays Ready. */
  readonly nodeMonitorGraceSeconds: number;
  /** How long pods stay on a node that is not ready or cannot be reached, unless they say otherwise. */
  readonly evictFromLostNodeAfterSeconds: number;
  readonly apiServerFlags: readonly string[];
  readonly controllerManagerFlags: readonly string[];
}

export function etcdCommand(layout: Layout): string[] {
  const client = `http://127.0.0.1:${layout.etcdPort}`;
  const peer = `http://127.0.0.1:${layout.etcdPeerPort}`;
  return [
    `--data-dir=${join(layout.folder, "etcd")}`,
    "--name=only",
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=only=${peer}`,
    // The data are thrown away at the end; waiting for the disk would only make tests slow and uneven.
    "--unsafe-no-fsync",
    "--log-level=warn",
  ];
}

export function apiServerCommand(
  layout: Layout,
  files: { tokens: string; serviceAccountKey: string; auditPolicy: string },
  tuning: Tuning,
): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${layout.etcdPort}`,
    `--secure-port=${layout.apiPort}`,
    "--bind-address=127.0.0.1",
    // Otherwise it looks for the machine's default route, and does not start where there is none.
    "--advertise-address=127.0.0.1",
    // A loopback address is no valid endpoint: without this it logs a refusal every ten seconds.
    "--endpoint-reconciler-type=none",
    `--cert-dir=${certificates(layout.folder)}`,
    "--service-cluster-ip-range=10.0.0.0/24",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${files.serviceAccountKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    `--token-auth-file=${files.tokens}`,
    "--authorization-mode=RBAC",
    "--allow-privileged",
    `--default-not-ready-toleration-seconds=${tuning.evictFromLostNodeAfterSeconds}`,
    `--default-unreachable-toleration-seconds=${tuning.evictFromLostNodeAfterSeconds}`,
    `--audit-policy-file=${files.auditPolicy}`,
    `--audit-log-path=${auditLog(layout.folder)}`,
    // One file, never rotated: a count must not lose what was written before.
    "--audit-log-maxsize=0",
    ...tuning.apiServerFlags,
  ];
}

export function controllerManagerCommand(layout: Layout, kubeconfig: string, serviceAccountKey: string, tuning: Tuning): string[] {
  return [
    ...asClient(kubeconfig),
    `--service-account-private-key-file=${serviceAccountKey}`,
    `--root-ca-file=${caFile(layout.folder)}`,
    "--node-monitor-period=1s",
    `--node-monitor-grace-period=${tuning.nodeMonitorGraceSeconds}s`,
    `--node-startup-grace-period=${tuning.nodeMonitorGraceSeconds}s`,
    ...tuning.controllerManagerFlags,
  ];
}

export function schedulerCommand(kubeconfig: string): string[] {
  return asClient(kubeconfig);
}

/** One instance each, so no election; no port of their own; and no client-side brake, which would make a busy test wait. */
function asClient(kubeconfig: string): string[] {
  const kubeconfigs = ["--kubeconfig", "--authentication-kubeconfig", "--authorization-kubeconfig"].map((flag) => `${flag}=${kubeconfig}`);
  return [...kubeconfigs, "--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000"];
}

function certificates(folder: string): string {
  return join(folder, "certificates");
}

/** The API server signs its own certificate on its first start; the file holds the chain. */
export function caFile(folder: string): string {
  return join(certificates(folder), "apiserver.crt");
}

export function auditLog(folder: string): string {
  return join(folder, "audit.log");
}
