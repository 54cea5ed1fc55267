import { ApiError, type Cluster, type Kind, type KubernetesObject } from "../control/ports.ts";
import type { Site, Sites } from "../control/sites.ts";
import type { Clock } from "../runtime/clock.ts";
import { KubernetesCluster } from "./cluster.ts";
import type { Log } from "./log.ts";
import { parseRemoteKubeconfig } from "./remote-kubeconfig.ts";
import { Transport, type TransportSettings } from "./transport.ts";

interface Secret extends KubernetesObject {
  /** Values in base64. */
  readonly data?: Readonly<Record<string, string>>;
}

const SECRET: Kind<Secret> = { apiVersion: "v1", kind: "Secret", plural: "secrets", namespaced: true };
const NAMESPACE: Kind = { apiVersion: "v1", kind: "Namespace", plural: "namespaces", namespaced: false };
const KUBECONFIG_KEY = "kubeconfig";
/** How long a Secret is believed to be unchanged; its change is seen with the next look after that. */
const SECRET_FRESH_MILLISECONDS = 10_000;
/** How long an answer about who a cluster is may stand; a silent cluster is asked again as often. */
const IDENTITY_FRESH_MILLISECONDS = 15_000;

export interface KubernetesSitesSettings {
  readonly hub: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly userAgent: string;
  readonly observe?: TransportSettings["observe"];
}

interface Remote {
  /** Of the Secret that it was made from. */
  readonly version: string;
  readonly cluster: KubernetesCluster;
  readonly transport: Transport;
}

interface Looked<Value> {
  readonly at: number;
  readonly value: Value;
}

/**
 * Finds PoP clusters by the Secrets of the fleet namespace (rule P17). A cluster is told by the UID of its kube-system namespace; a
 * connection lasts as long as its Secret is unchanged.
 */
export class KubernetesSites implements Sites {
  readonly #settings: KubernetesSitesSettings;
  readonly #remotes = new Map<string, Remote>();
  readonly #secrets = new Map<string, Looked<Secret | undefined>>();
  readonly #identities = new Map<Cluster, Looked<Site>>();

  constructor(settings: KubernetesSitesSettings) {
    this.#settings = settings;
  }

  async of(reference: { readonly name: string; readonly namespace: string } | undefined): Promise<Site> {
    if (!reference) return this.#identified(this.#settings.hub);
    const secret = await this.#secret(reference);
    const found = `Secret ${reference.namespace}/${reference.name}`;
    if (!secret) return invalid(`${found} does not exist; create it with a key ${KUBECONFIG_KEY}`);
    const text = secret.data?.[KUBECONFIG_KEY];
    if (text === undefined) return invalid(`${found} has no key ${KUBECONFIG_KEY}; write the kubeconfig of the PoP's cluster under it`);
    const key = `${reference.namespace}/${reference.name}`;
    const known = this.#remotes.get(key);
    if (known?.version === secret.metadata.resourceVersion) return this.#identified(known.cluster);
    const parsed = parseRemoteKubeconfig(Buffer.from(text, "base64").toString("utf8"));
    if (!parsed.accepted) return invalid(`${found}: ${parsed.problems.join("; ")}`);
    await this.#forget(key);
    const { clock, log, userAgent, observe } = this.#settings;
    const name = `the cluster of ${found}`;
    const transport = new Transport({ kubeconfig: parsed.kubeconfig, name, userAgent, clock, ...(observe ? { observe } : {}) });
    const cluster = new KubernetesCluster({ transport, clock, log });
    this.#remotes.set(key, { version: secret.metadata.resourceVersion, cluster, transport });
    return this.#identified(cluster);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#remotes.keys()].map((key) => this.#forget(key)));
  }

  async #forget(key: string): Promise<void> {
    const remote = this.#remotes.get(key);
    this.#remotes.delete(key);
    if (!remote) return;
    this.#identities.delete(remote.cluster);
    await remote.cluster.close();
  }

  async #secret({ name, namespace }: { readonly name: string; readonly namespace: string }): Promise<Secret | undefined> {
    const key = `${namespace}/${name}`;
    const now = this.#settings.clock.elapsed();
    const known = this.#secrets.get(key);
    if (known && now - known.at < SECRET_FRESH_MILLISECONDS) return known.value;
    const value = await this.#settings.hub.get(SECRET, name, namespace);
    this.#secrets.set(key, { at: now, value });
    return value;
  }

  /** Who the cluster is. A cluster that was known and is silent now stays known: its reads will say that it does not answer. */
  async #identified(cluster: Cluster): Promise<Site> {
    const now = this.#settings.clock.elapsed();
    const known = this.#identities.get(cluster);
    if (known && now - known.at < IDENTITY_FRESH_MILLISECONDS) return known.value;
    const site = await identify(cluster, known?.value);
    this.#identities.set(cluster, { at: now, value: site });
    return site;
  }
}

const invalid = (message: string): Site => ({ state: "CredentialsInvalid", message });

async function identify(cluster: Cluster, known: Site | undefined): Promise<Site> {
  try {
    const system = await cluster.get(NAMESPACE, "kube-system");
    if (!system) return invalid(`${cluster.name} has no kube-system namespace, so it cannot be told from another one`);
    return { state: "Reachable", uid: system.metadata.uid, cluster };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 401 || error.code === 403)
      return invalid(`${cluster.name} refuses the credentials (${error.code}): ${error.message}`);
    return known?.state === "Reachable" ? known : { state: "Unreachable", message: `${cluster.name} does not answer: ${error.message}` };
  }
}
