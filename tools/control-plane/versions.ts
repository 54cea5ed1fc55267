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
 * Checksums of official release files, `sha256` by file address below the download base. A file that is not listed (etcd, and the
 * platforms that the source below does not have) is checked against the checksum that its publisher puts beside it: that finds a
 * broken or cut-off transfer, and rests on TLS for the rest. `npm run control-plane:checksums` prints the table as the
 * publishers have it today and says where this one differs; decision 0006 says what has to be true of a checksum that is entered.
 *
 * Source: the asset hashes of the Kubernetes project's own kOps, github.com/kubernetes/kops, pkg/assets/assetdata/k8s-1.36.yaml at
 * 347983e454d2ad9f5dbf80f4b2b42d558976bce6. Those of kubectl stand alike in many public repositories that pin it by themselves.
 */
export const PINNED_SHA256: Readonly<Record<string, string>> = {
  "v1.36.3/bin/linux/amd64/kube-apiserver": "1f217d397234a6d065da663c6e086fdb02c0f0de97a0758ff3e6f3956f4ef8ab",
  "v1.36.3/bin/linux/amd64/kube-controller-manager": "7edfe976d5a06c7a702d653e914095f4a732a04bb2139115b6a6eba6a9b781c7",
  "v1.36.3/bin/linux/amd64/kube-scheduler": "b8955d4518c902110b50a825364339b1fb673822518ce0ba081a69ed634f8eee",
  "v1.36.3/bin/linux/amd64/kubectl": "ebbd080e7c2e275093b55915722043257eb24004363e20acb3c4d71919f88336",
  "v1.36.3/bin/linux/arm64/kube-apiserver": "16001b9d35d23634c361a1e2b7b0fc7abe186984af697ef7a869c8c8cded78b7",
  "v1.36.3/bin/linux/arm64/kube-controller-manager": "27868a5c822824945b93f2d8a724a5dcd99affc68b47230ae766bff8795bbb84",
  "v1.36.3/bin/linux/arm64/kube-scheduler": "ca1c7cd0033942bf9ef7eac80e18375d91f6f29487244c3e685f11163b01a88d",
  "v1.36.3/bin/linux/arm64/kubectl": "3d86f24401c41ae5a46ac50eef8865fe891d3647d324a0836f6c63757a126e62",
};
