import type { Cluster } from "./ports.ts";

/** Where the nodes of a PoP are: the cluster we run in, or one of its own (rule P17). */
export type Site =
  | { readonly state: "Reachable"; readonly uid: string; readonly cluster: Cluster }
  | { readonly state: "Unreachable"; readonly message: string }
  | { readonly state: "CredentialsInvalid"; readonly message: string };

/** The Secret that holds a PoP's kubeconfig. */
export interface SecretReference {
  readonly name: string;
  readonly namespace: string;
}

/** Finds the cluster of a PoP; remembers connections by the Secret's content. */
export interface Sites {
  /** `secret` absent: the cluster we run in. A Secret that changed leads to another Cluster, and the one before is closed. */
  of(secret: SecretReference | undefined): Promise<Site>;
  /** Closes the clusters of all other Secrets: no PoP names them any more. */
  keepOnly(secrets: readonly SecretReference[]): void;
  close(): Promise<void>;
}
