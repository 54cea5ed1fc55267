import { ApiError, type Cluster, type Kind, type KubernetesObject } from "../control/ports.ts";
import type { SecretReference, Site, Sites } from "../control/sites.ts";
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
  /** The Secret that it was made from: UID and version. */
  readonly made: string;
  readonly cluster: KubernetesCluster;
}

interface Looked<Value> {
  /** Elapsed time at which the answer came; undefined: it is awaited. */
  at: number | undefined;
  readonly answer: Promise<Value>;
}

/** Asks once for all who ask at the same time, and again when the answer is older than it may be. What failed is not kept. */
class Looks<Key, Value> {
  readonly #clock: Clock;
  readonly #freshMilliseconds: number;
  readonly #known = new Map<Key, Looked<Value>>();

  constructor(clock: Clock, freshMilliseconds: number) {
    this.#clock = clock;
    this.#freshMilliseconds = freshMilliseconds;
  }

  async of(key: Key, look: (before: Value | undefined) => Promise<Value>): Promise<Value> {
    const known = this.#known.get(key);
    if (known && (known.at === undefined || this.#clock.elapsed() - known.at < this.#freshMilliseconds)) return known.answer;
    const looked: Looked<Value> = { at: undefined, answer: (async () => look(await known?.answer))() };
    this.#known.set(key, looked);
    try {
      const value = await looked.answer;
      looked.at = this.#clock.elapsed();
      return value;
    } catch (error) {
      if (this.#known.get(key) === looked) {
        if (known) this.#known.set(key, known);
        else this.#known.delete(key);
      }
      throw error;
    }
  }

  forget(isForgotten: (key: Key) => boolean): void {
    for (const key of this.#known.keys()) if (isForgotten(key)) this.#known.delete(key);
  }
}

const keyOf = ({ namespace, name }: SecretReference): string => `${namespace}/${name}`;

/**
 * Finds PoP clusters by the Secrets of the fleet namespace (rule P17). A cluster is told by the UID of its kube-system namespace; a
 * connection lasts as long as its Secret is there, unchanged and named by a PoP.
 */
export class KubernetesSites implements Sites {
  readonly #settings: KubernetesSitesSettings;
  readonly #remotes = new Map<string, Remote>();
  readonly #secrets: Looks<string, Secret | undefined>;
  readonly #identities: Looks<Cluster, Site>;

  constructor(settings: KubernetesSitesSettings) {
    this.#settings = settings;
    this.#secrets = new Looks(settings.clock, SECRET_FRESH_MILLISECONDS);
    this.#identities = new Looks(settings.clock, IDENTITY_FRESH_MILLISECONDS);
  }

  async of(reference: SecretReference | undefined): Promise<Site> {
    if (!reference) return this.#identified(this.#settings.hub);
    const { name, namespace } = reference;
    const secret = await this.#secrets.of(keyOf(reference), () => this.#settings.hub.get(SECRET, name, namespace));
    const remote = this.#remoteOf(reference, secret);
    return typeof remote === "string" ? invalid(remote) : this.#identified(remote);
  }

  keepOnly(secrets: readonly SecretReference[]): void {
    const kept = new Set(secrets.map(keyOf));
    this.#secrets.forget((key) => !kept.has(key));
    for (const key of this.#remotes.keys()) if (!kept.has(key)) this.#letGo(key);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#remotes.keys()].map((key) => this.#forget(key)));
  }

  /**
   * The cluster that the Secret leads to, or why it leads to none. Nothing is awaited between the look at what is open and the opening:
   * two PoPs of one Secret that come at once are given the same connection.
   */
  #remoteOf(reference: SecretReference, secret: Secret | undefined): Cluster | string {
    const key = keyOf(reference);
    const made = secret && `${secret.metadata.uid}/${secret.metadata.resourceVersion}`;
    const known = this.#remotes.get(key);
    if (known !== undefined && known.made === made) return known.cluster;
    this.#letGo(key);
    const found = `Secret ${key}`;
    if (!secret || made === undefined) return `${found} does not exist; create it with a key ${KUBECONFIG_KEY}`;
    const text = secret.data?.[KUBECONFIG_KEY];
    if (text === undefined) return `${found} has no key ${KUBECONFIG_KEY}; write the kubeconfig of the PoP's cluster under it`;
    const parsed = parseRemoteKubeconfig(Buffer.from(text, "base64").toString("utf8"));
    if (!parsed.accepted) return `${found}: ${parsed.problems.join("; ")}`;
    const { clock, log, userAgent, observe } = this.#settings;
    const name = `the cluster of ${found}`;
    const transport = new Transport({ kubeconfig: parsed.kubeconfig, name, userAgent, clock, ...(observe ? { observe } : {}) });
    const cluster = new KubernetesCluster({ transport, clock, log });
    this.#remotes.set(key, { made, cluster });
    return cluster;
  }

  /** Nobody waits for the end of connections that nobody uses, or minds how they end. */
  #letGo(key: string): void {
    this.#forget(key).catch(() => undefined);
  }

  async #forget(key: string): Promise<void> {
    const remote = this.#remotes.get(key);
    this.#remotes.delete(key);
    if (!remote) return;
    this.#identities.forget((cluster) => cluster === remote.cluster);
    await remote.cluster.close();
  }

  /** Who the cluster is. A cluster that was known and is silent now stays known: its reads will say that it does not answer. */
  #identified(cluster: Cluster): Promise<Site> {
    return this.#identities.of(cluster, (known) => identify(cluster, known));
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
