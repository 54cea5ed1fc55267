// What a node reads: the script that makes it out of namespaces, and the configuration of its containerd and kubelet.
import { mkdirSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import type { Hierarchy } from "./cgroups.ts";
import { PAUSE_IMAGE, REGISTRY, type NodeTools } from "./install.ts";

/** The cluster's own network: a bridge, and the address at which pods find the API server. */
export const GATEWAY = "10.99.0.1";
export const API_ADDRESS = "10.0.0.1";
export const REGISTRY_PORT = 5000;

export interface NodePlan {
  readonly name: string;
  /** 1 to 200: its place in the cluster's networks. */
  readonly number: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Its own folder; the node's disk is in it and outlives a reboot. */
  readonly folder: string;
  readonly kubeconfig: string;
  readonly tools: NodeTools;
  readonly hierarchies: readonly Hierarchy[];
  /** The node's cgroup, below the caller's own in each hierarchy. */
  readonly cgroup: string;
  /** Process that holds the cluster's network namespace. */
  readonly network: number;
}

export const addressOf = ({ number }: Pick<NodePlan, "number">): string => `10.99.0.${10 + number}`;

/**
 * Values that a kubelet writes and that belong to the whole machine: the node gets files of its own in their place. The boot's ID is the
 * machine's too, and a node that starts again has another one.
 */
const OF_THE_MACHINE = {
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};

/** Writes the files of a node, anew at each start of it; answers with the script that makes it. */
export function writeNodeFiles(plan: NodePlan): string {
  const { folder } = plan;
  for (const name of ["disk/kubelet", "disk/containerd", "log", "cni", "sys"]) mkdirSync(join(folder, name), { recursive: true });
  const files: Readonly<Record<string, string>> = {
    "sys/boot_id": randomUUID(),
    ...Object.fromEntries(Object.entries(OF_THE_MACHINE).map(([name, value]) => [join("sys", name), value])),
    // A name that nobody knows is answered at once; the machine's own resolver would let a pull hang.
    "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1",
    "cni/10-ptp.conflist": JSON.stringify(cniOf(plan)),
    [`registries/${REGISTRY}/hosts.toml`]: `server = "http://${GATEWAY}:${REGISTRY_PORT}"\n[host."http://${GATEWAY}:${REGISTRY_PORT}"]\n  capabilities = ["pull", "resolve"]`,
    "containerd.toml": containerdOf(plan),
    "kubelet.json": JSON.stringify(KUBELET),
    "start.sh": startOf(plan),
    "init.sh": initOf(plan),
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${content}\n`);
  }
  return join(folder, "start.sh");
}

/** Into its cgroups, and then into its namespaces: a cgroup namespace begins where its maker is. It dies with whoever started it. */
const startOf = ({ hierarchies, cgroup, folder }: NodePlan): string =>
  [
    "set -e",
    ...hierarchies.map(({ own }) => `echo $$ >${join(own, cgroup)}/cgroup.procs`),
    `exec unshare -m -n -u -i -p -C --fork --kill-child=SIGKILL --propagation private sh ${folder}/init.sh`,
  ].join("\n");

/** The first process of the node. Up to the mount of /proc it sees the machine's processes, by which it finds the cluster's network. */
function initOf({ name, number, folder, network, hierarchies, labels, kubeconfig, tools }: NodePlan): string {
  const cluster = `nsenter --net=/proc/${network}/ns/net ip link`;
  const bind = (from: string, to: string): string => `mount --bind ${join(folder, from)} ${to}`;
  const labelList = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const address = addressOf({ number });
  return [
    "set -e",
    `${cluster} del to-${name} 2>/dev/null || true`,
    `${cluster} add to-${name} type veth peer name eth0 netns 1`,
    `${cluster} set to-${name} master bridge up`,
    `nsenter --net=/proc/${network}/ns/net ip route replace 10.98.${number}.0/24 via ${address}`,
    "mount -t proc proc /proc",
    "mount -t sysfs sysfs /sys",
    "mount -t tmpfs tmpfs /sys/fs/cgroup",
    ...hierarchies.flatMap(({ controllers }) => mountHierarchy(controllers)),
    "for place in /run /var/lib; do mount -t tmpfs -o mode=755 tmpfs $place; done",
    "mkdir -p /var/lib/kubelet /var/lib/containerd",
    bind("disk/kubelet", "/var/lib/kubelet"),
    bind("disk/containerd", "/var/lib/containerd"),
    bind("log", "/var/log"),
    bind("resolv.conf", "/etc/resolv.conf"),
    bind("sys/boot_id", "/proc/sys/kernel/random/boot_id"),
    ...Object.keys(OF_THE_MACHINE).map((key) => bind(join("sys", key), `/proc/sys/${key}`)),
    "mount --make-rshared /",
    `echo ${name} >/proc/sys/kernel/hostname`,
    "ip link set lo up",
    `ip addr add ${address}/24 dev eth0`,
    "ip link set eth0 up",
    `ip route add default via ${GATEWAY}`,
    "echo 1 >/proc/sys/net/ipv4/ip_forward",
    `export PATH=${dirname(tools.containerd)}:${dirname(tools.runc)}:$PATH`,
    `containerd --config ${folder}/containerd.toml >>${folder}/log/containerd.log 2>&1 &`,
    "until [ -S /run/containerd/containerd.sock ]; do sleep 0.05; done",
    `${tools.kubelet} --config=${folder}/kubelet.json --kubeconfig=${kubeconfig} --hostname-override=${name} --node-ip=${address} --node-labels=${labelList.join(",")} >>${folder}/log/kubelet.log 2>&1 &`,
    // The first process is also who buries what containerd leaves behind.
    "while wait; do sleep 1; done",
  ].join("\n");
}

function mountHierarchy(controllers: string): string[] {
  const named = controllers.startsWith("name=");
  const folder = `/sys/fs/cgroup/${named ? controllers.slice("name=".length) : controllers}`;
  const single = controllers.split(",");
  const links = single.length > 1 ? single.map((one) => `ln -s ${controllers} /sys/fs/cgroup/${one}`) : [];
  return [`mkdir ${folder}`, `mount -t cgroup -o ${named ? "none," : ""}${controllers} cgroup ${folder}`, ...links];
}

const cniOf = ({ number }: NodePlan) => ({
  cniVersion: "0.4.0",
  name: "pods",
  plugins: [
    {
      type: "ptp",
      ipMasq: false,
      ipam: {
        type: "host-local",
        ranges: [[{ subnet: `10.98.${number}.0/24` }]],
        routes: [{ dst: "0.0.0.0/0" }],
        dataDir: "/run/cni",
      },
    },
  ],
});

/** Version 2 of its configuration, which containerd 1.6 and 2 both read. */
const containerdOf = ({ folder, tools }: NodePlan): string => `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "/run/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # A container may lack the right to lower its score, and then no pod would start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${folder}/registries"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "${tools.runc}"
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${tools.cni}"
    conf_dir = "${folder}/cni"`;

/** A kubelet that reports every two seconds, on a machine that is not its own. Its port is reached by nobody outside our network. */
const KUBELET = {
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  failCgroupV1: false,
  cgroupDriver: "cgroupfs",
  enforceNodeAllocatable: [],
  containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: "AlwaysAllow" },
  makeIPTablesUtilChains: false,
  failSwapOn: false,
  imageGCHighThresholdPercent: 100,
  evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%", "nodefs.inodesFree": "1%" },
  nodeStatusUpdateFrequency: "2s",
  nodeLeaseDurationSeconds: 8,
  resolvConf: "",
  serializeImagePulls: false,
  volumePluginDir: "/var/lib/kubelet/volume-plugins",
};
