// helm as the tests of the chart call it, and whether it is there.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe } from "vitest";
import { parseAllDocuments } from "yaml";
import { findHelm } from "../../../tools/helm/install.ts";

export const ROOT = join(import.meta.dirname, "../../..");
export const CHART = join(ROOT, "charts/rollward");
export const IMAGE = ["--set", "image.repository=registry.example/rollward"] as const;

export const tools = findHelm();

/** Like `describe`; skipped, with the reason in the name, where there is no helm. */
export function describeWithHelm(name: string, tests: () => void): void {
  if (tools !== undefined) describe(name, tests);
  else describe.skip(`${name} (no helm here: npm test builds one, where there is Go)`, tests);
}

/** What helm said; `failed` where it ended with an error. */
export interface Said {
  readonly failed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm. Its own folders are in the project's cache, so that nobody's repositories or settings count. */
export async function helm(args: readonly string[], kubeconfig = "/dev/null"): Promise<Said> {
  const home = join(ROOT, ".cache", "helm", "home");
  const env = { ...process.env, KUBECONFIG: kubeconfig, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  try {
    return { failed: false, ...(await promisify(execFile)(tools!.helm, args, { env, maxBuffer: 16_000_000 })) };
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return { failed: true, stdout, stderr };
  }
}

/** An object of Kubernetes, as far as these tests look at it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
  readonly [field: string]: unknown;
}

/** The objects of a stream of YAML documents. */
export function objectsOf(text: string): Rendered[] {
  return parseAllDocuments(text).flatMap((document) => {
    const object = document.toJS() as Rendered | null;
    return object === null ? [] : [object];
  });
}

/** What the chart renders for namespace fleet. Throws helm's words. */
export async function render(...args: readonly string[]): Promise<Rendered[]> {
  const { failed, stdout, stderr } = await helm(["template", "rollward", CHART, "--namespace", "fleet", ...IMAGE, ...args]);
  if (failed) throw new Error(stderr);
  return objectsOf(stdout);
}

/** Everything that can be switched on, beside what is on by itself; ServiceMonitor and PodMonitor exclude each other. */
export const EVERYTHING = [
  ...["ServiceMonitor", "PodMonitor", "PrometheusRule"].flatMap((kind) => ["--api-versions", `monitoring.coreos.com/v1/${kind}`]),
  "--set=rbac.evictPods=true,monitoring.prometheusRule.enabled=true,monitoring.dashboards.enabled=true,operator.prometheusUrl=http://prometheus:9090",
  "--set=imagePullSecrets={registry},operator.priorityClassName=system-cluster-critical,operator.nodeSelector.disk=ssd",
  "--set=operator.tolerations[0].operator=Exists,operator.podLabels.team=edge,operator.podAnnotations.note=ours",
  "--set=networkPolicy.dataPlanePorts={8080,179},networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.role=monitoring",
] as const;

/** Sockets with SQLite, in the operator's pod. */
export const EMBEDDED = [
  "--set=inventory.embedded.enabled=true,inventory.embedded.storageClassName=fast,operator.replicas=1,gateway.tls.secretName=sockets-tls",
  "--set=gateway.url=https://sockets.example,gateway.service.type=NodePort,networkPolicy.devicesFrom[0].ipBlock.cidr=192.0.2.0/24",
  "--set=notices.privateHosts={10.0.0.5},notices.signing.secretName=notice-key",
] as const;

/** Sockets with PostgreSQL, and a gateway of its own. */
export const APART = [
  "--set=inventory.postgresql.secretName=inventory,inventory.postgresql.caSecretName=postgresql-ca,gateway.tls.secretName=sockets-tls",
  "--set=gateway.tls.clientAuthoritiesSecretName=account-authorities,gateway.artifacts.existingClaim=artifacts",
  "--set=gateway.service.type=LoadBalancer,gateway.service.annotations.note=ours,gateway.nodeSelector.disk=ssd,gateway.podLabels.team=edge",
  "--set=gateway.tolerations[0].operator=Exists,gateway.priorityClassName=system-cluster-critical,gateway.podAnnotations.note=ours",
  "--set=notices.hosts={hooks.acme.example,*.example.org},notices.signing.secretName=notice-key,networkPolicy.noticePorts={443,8443}",
] as const;
