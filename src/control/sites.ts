import type { Cluster } from "./ports.ts";

/** Where the nodes of a PoP are: the cluster we run in, or one of its own (rule P17). */
export type Site =
  | { readonly state: "Reachable"; readonly uid: string; readonly cluster: Cluster }
  | { readonly state: "Unreachable"; readonly message: string }
  | { readonly state: "CredentialsInvalid"; readonly message: string };

/** Finds the cluster of a PoP; remembers connections by the Secret's content. */
export interface Sites {
  /** `secret` absent: the cluster we run in. */
  of(secret: { readonly name: string; readonly namespace: string } | undefined): Promise<Site>;
  /** Told that calls to that cluster do not come through, or do again. */
  close(): Promise<void>;
}
