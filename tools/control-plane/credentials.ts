// Who may talk to the control plane: one random token a user, the key that signs ServiceAccount tokens, kubeconfig files.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/**
 * Different users for different parts, so that the audit log tells who wrote what: `admin`; `operator`, who has exactly the rights
 * that a test binds to it; `watcher`, who may read everything and change nothing; `virtual-nodes`, who plays the kubelets.
 */
export const USERS: readonly User[] = [
  { name: "admin", groups: ["system:masters"] },
  { name: "operator", groups: [] },
  { name: "watcher", groups: [] },
  { name: "virtual-nodes", groups: ["system:masters"] },
  { name: "system:kube-controller-manager", groups: ["system:masters"] },
  { name: "system:kube-scheduler", groups: ["system:masters"] },
];

export interface Credentials {
  readonly tokens: Readonly<Record<string, string>>;
  readonly tokenFile: string;
  readonly serviceAccountKey: string;
}

/** Writes the token file and the ServiceAccount key into the folder, readable by the owner only. */
export function writeCredentials(folder: string, users: readonly User[]): Credentials {
  const tokens = Object.fromEntries(users.map((user) => [user.name, randomBytes(24).toString("hex")]));
  const tokenFile = join(folder, "tokens.csv");
  const lines = users.map((user) => `${tokens[user.name]},${user.name},${user.name},"${user.groups.join(",")}"\n`);
  writeFileSync(tokenFile, lines.join(""), { mode: 0o600 });
  const serviceAccountKey = join(folder, "service-account.key");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(serviceAccountKey, privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
  return { tokens, tokenFile, serviceAccountKey };
}

/** Writes a kubeconfig for one user; JSON, which every reader of YAML takes. */
export function writeKubeconfig(path: string, server: string, caFile: string, user: string, token: string): void {
  const name = "rollward";
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority": caFile } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name, context: { cluster: name, user } }],
    "current-context": name,
  };
  writeFileSync(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
}
