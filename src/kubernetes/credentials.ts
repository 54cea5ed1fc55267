import { createHash } from "node:crypto";
import type { RequestOptions } from "node:https";
import type { ConnectionOptions } from "node:tls";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Clock } from "../runtime/clock.ts";

/** What a request needs to be believed: headers, and TLS material with a digest that changes when the material does. */
export interface Credentials {
  readonly origin: string;
  /** A path before every path of the API (clusters behind a proxy have one), without a slash at the end. */
  readonly prefix: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ConnectionOptions;
  readonly digest: string;
}

/** Files and exec plugins are asked again after this long; reading them for each call would be synchronous disk reads on the hot path. */
const REFRESH_MILLISECONDS = 10_000;

/** Asks the kubeconfig for credentials: files that rotate, exec plugins and tokens stay the client library's business. */
export class CredentialSource {
  readonly #kubeconfig: KubeConfig;
  readonly #clock: Clock;
  #kept: { readonly at: number; readonly credentials: Promise<Credentials> } | undefined;

  constructor(kubeconfig: KubeConfig, clock: Clock) {
    this.#kubeconfig = kubeconfig;
    this.#clock = clock;
  }

  get(): Promise<Credentials> {
    const now = this.#clock.elapsed();
    if (this.#kept && now - this.#kept.at < REFRESH_MILLISECONDS) return this.#kept.credentials;
    const credentials = this.#read();
    this.#kept = { at: now, credentials };
    // A failed reading is not kept: the next call reads again.
    credentials.catch(() => this.forget());
    return credentials;
  }

  /** The server did not believe them: read again with the next call. */
  forget(): void {
    this.#kept = undefined;
  }

  async #read(): Promise<Credentials> {
    const cluster = this.#kubeconfig.getCurrentCluster();
    if (!cluster) throw new Error("the kubeconfig has no cluster in its current context");
    const url = new URL(cluster.server);
    // Plain http is for test servers and `kubectl proxy`; only a kubeconfig that switches verification off says it on purpose.
    if (url.protocol !== "https:" && !cluster.skipTLSVerify) {
      throw new Error(`server ${cluster.server}: write https://, or insecure-skip-tls-verify: true for a plain http test server`);
    }
    const options: RequestOptions = {};
    await this.#kubeconfig.applyToHTTPSOptions(options);
    const { ca, cert, key, pfx, passphrase, servername } = options;
    // Said outright: left open, an environment variable could switch verification off for the whole process.
    const rejectUnauthorized = !cluster.skipTLSVerify;
    const tls = definedOnly({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }) as ConnectionOptions;
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value).trim();
    if (options.auth) headers["authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
    const prefix = url.pathname.replace(/\/+$/, "");
    return { origin: url.origin, prefix, headers, tls, digest: digestOf(url.origin, tls) };
  }
}

function definedOnly(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
}

function digestOf(origin: string, tls: ConnectionOptions): string {
  const hash = createHash("sha256").update(origin);
  for (const [name, value] of Object.entries(tls))
    hash.update(`\n${name}:${Buffer.isBuffer(value) ? value.toString("base64") : String(value)}`);
  return hash.digest("hex");
}
