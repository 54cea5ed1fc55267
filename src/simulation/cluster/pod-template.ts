import type { Cause } from "./errors.ts";
import { textOf } from "./objects.ts";

/** Pod specs as the API server completes and checks them, as far as a DaemonSet's life depends on it. All functions work in place. */

type Fields = Record<string, unknown>;

const POD_FIELDS = new Set(
  (
    "activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks ephemeralContainers " +
    "hostAliases hostIPC hostNetwork hostPID hostUsers hostname hostnameOverride imagePullSecrets initContainers nodeName nodeSelector " +
    "os overhead preemptionPolicy priority priorityClassName readinessGates resourceClaims resources restartPolicy runtimeClassName " +
    "schedulerName schedulingGates securityContext serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain " +
    "terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes"
  ).split(" "),
);

const CONTAINER_FIELDS = new Set(
  (
    "args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy resources " +
    "restartPolicy restartPolicyRules securityContext startupProbe stdin stdinOnce terminationMessagePath terminationMessagePolicy tty " +
    "volumeDevices volumeMounts workingDir"
  ).split(" "),
);

const containersOf = (spec: Fields): Fields[] =>
  [spec.containers, spec.initContainers].flatMap((list) => (Array.isArray(list) ? (list as Fields[]) : []));

/** Removes fields that a pod spec does not have and returns their paths: a strict write is refused for them, another one loses them. */
export function pruneUnknownPodFields(spec: Fields, path: string): string[] {
  const unknown = prune(spec, POD_FIELDS, path);
  for (const list of ["initContainers", "containers"]) {
    const containers = spec[list];
    if (!Array.isArray(containers)) continue;
    containers.forEach((container: Fields, index) => unknown.push(...prune(container, CONTAINER_FIELDS, `${path}.${list}[${index}]`)));
  }
  return unknown;
}

function prune(fields: Fields, known: ReadonlySet<string>, path: string): string[] {
  const unknown = Object.keys(fields).filter((field) => !known.has(field));
  for (const field of unknown) delete fields[field];
  return unknown.map((field) => `${path}.${field}`);
}

/** Defaults of the apiserver; whoever compares a DaemonSet with what was sent has to live with them. */
export function completePodSpec(spec: Fields): void {
  spec.restartPolicy ??= "Always";
  spec.dnsPolicy ??= "ClusterFirst";
  spec.schedulerName ??= "default-scheduler";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.securityContext ??= {};
  // Each name of the service account implies the other.
  if (spec.serviceAccountName !== undefined) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount !== undefined) spec.serviceAccountName = spec.serviceAccount;
  if (spec.hostNetwork === false) delete spec.hostNetwork;
  for (const container of containersOf(spec)) completeContainer(container);
}

function completeContainer(container: Fields): void {
  container.resources ??= {};
  container.terminationMessagePath ??= "/dev/termination-log";
  container.terminationMessagePolicy ??= "File";
  container.imagePullPolicy ??= /@|:(?!latest$)[^/:]+$/.test(textOf(container.image)) ? "IfNotPresent" : "Always";
  if (Array.isArray(container.ports)) for (const port of container.ports as Fields[]) port.protocol ??= "TCP";
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"]) {
    const probe = container[name] as Fields | undefined;
    if (probe !== undefined) completeProbe(probe);
  }
}

function completeProbe(probe: Fields): void {
  probe.timeoutSeconds ??= 1;
  probe.periodSeconds ??= 10;
  probe.successThreshold ??= 1;
  probe.failureThreshold ??= 3;
  const http = probe.httpGet as Fields | undefined;
  if (http === undefined) return;
  http.path ??= "/";
  http.scheme ??= "HTTP";
}

/** Pods on the host's network hold their declared ports on the host; templates do not say so, the pods made of them do. */
export function completeHostPorts(spec: Fields): void {
  if (spec.hostNetwork !== true) return;
  for (const container of containersOf(spec)) {
    if (!Array.isArray(container.ports)) continue;
    for (const port of container.ports as Fields[]) port.hostPort ??= port.containerPort;
  }
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** What the API server would refuse: containers without a name or image, names used twice. */
export function podSpecCauses(spec: Fields | undefined, path: string): Cause[] {
  const containers = (spec?.containers ?? []) as Fields[];
  if (containers.length === 0) return [{ field: `${path}.containers`, message: "Required value: name at least one container" }];
  const seen = new Set<unknown>();
  return containers.flatMap((container, index) => {
    const at = `${path}.containers[${index}]`;
    const causes: Cause[] = [];
    if (!container.name) causes.push({ field: `${at}.name`, message: "Required value: give the container a name" });
    else if (!NAME.test(textOf(container.name)))
      causes.push({ field: `${at}.name`, message: "Invalid value: write lower-case letters, digits and '-'" });
    if (seen.has(container.name)) causes.push({ field: `${at}.name`, message: "Duplicate value" });
    if (!container.image) causes.push({ field: `${at}.image`, message: "Required value: name an image" });
    seen.add(container.name);
    return causes;
  });
}
