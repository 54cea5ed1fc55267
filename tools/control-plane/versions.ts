// What the control plane consists of. The versions also stand in tools/kubernetes/go.mod and tools/etcd/go.mod; a unit test
// keeps the two in step.
import { dirname, join } from "node:path";

export const KUBERNETES_VERSION = "1.36.3";
export const ETCD_VERSION = "3.6.16";

export const KUBERNETES_BINARIES = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"] as const;
export const BINARIES = [...KUBERNETES_BINARIES, "etcd"] as const;
export type Binary = (typeof BINARIES)[number];

/** The checkout. */
export const ROOT = dirname(dirname(import.meta.dirname));

/** Where the project keeps the control plane; both versions are in the name, so that a new one never meets an old binary. */
export function cacheDirectory(root: string = ROOT): string {
  return join(root, ".cache", "control-plane", `${KUBERNETES_VERSION}-etcd-${ETCD_VERSION}`);
}

/**
 * Checksums of official release files, `sha256` by file address below the download base, for whoever wants to pin a platform.
 * A file that is not listed is checked against the checksum that its publisher puts beside it: that finds a broken or cut-off
 * transfer, and rests on TLS for the rest. A checksum enters this table only if it was computed from a file that somebody
 * fetched and verified by other means; a copied or guessed one would refuse the real file and protect nothing.
 */
export const PINNED_SHA256: Readonly<Record<string, string>> = {};
