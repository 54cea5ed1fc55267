import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import type { Clock } from "../runtime/clock.ts";
import type { ClientAuthorities } from "./credentials.ts";
import type { Log } from "./log.ts";

export interface TlsFiles {
  /** PEM; read again when it changes, with the key. */
  readonly certificate: string;
  readonly key: string;
  /** A folder with `<account>.pem`: who may issue certificates for the account's devices. */
  readonly clientAuthorities?: string;
  /** Elapsed milliseconds between two looks at the files (default 10 s). */
  readonly lookEveryMilliseconds?: number;
}

export interface ListenerSettings {
  readonly address: { readonly host?: string; readonly port: number };
  readonly tls?: TlsFiles;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Listener {
  readonly port: number;
  readonly authorities: () => ClientAuthorities;
  close(): Promise<void>;
}

const DEADLINE_MS = 10_000;
const LARGEST_HEADER = 16_384;
/** Longer than the hint around a planned start: then a site polls again on the same connection. */
const KEEP_ALIVE_MS = 15_000;
const LOOK_AT_FILES_EVERY_MS = 10_000;

interface Material {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer[];
  readonly authorities: ClientAuthorities;
}

/** Listens for devices, with TLS where there are files for it. Rejects when the address is taken or a file cannot be used. */
export async function listen(settings: ListenerSettings, serve: RequestListener): Promise<Listener> {
  const { tls, clock, log, address } = settings;
  const options = {
    maxHeaderSize: LARGEST_HEADER,
    requestTimeout: DEADLINE_MS,
    headersTimeout: DEADLINE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 1_000,
  };
  let material = tls && readMaterial(tls);
  // Whose certificate fits is asked for each account: the handshake takes any, and none.
  const server: Server | TlsServer = material
    ? createTlsServer({ ...options, ...secrets(material), requestCert: material.ca !== undefined, rejectUnauthorized: false }, serve)
    : createServer(options, serve);
  let seen = tls && modifiedOf(tls);
  let cancel = () => {};
  /** Why the files could not be read at the last look; said once, and not at each look. */
  let trouble: string | undefined;
  const lookAgain = (files: TlsFiles) => {
    cancel = clock.after(files.lookEveryMilliseconds ?? LOOK_AT_FILES_EVERY_MS, () => {
      lookAgain(files);
      try {
        const modified = modifiedOf(files);
        if (modified === seen) {
          if (trouble !== undefined) log("info", "the gateway's certificate is as it was again");
          trouble = undefined;
          return;
        }
        const anew = readMaterial(files);
        (server as TlsServer).setSecureContext(secrets(anew));
        material = anew;
        seen = modified;
        trouble = undefined;
        log("info", "the gateway's certificate was read anew");
      } catch (error) {
        const found = String(error);
        if (found !== trouble) log("warn", `the gateway's certificate could not be read anew, and the old one stays: ${found}`);
        trouble = found;
      }
    });
  };
  if (tls) lookAgain(tls);
  await listening(server, address);
  // Nobody else would hear of it, and an error that nobody hears ends the process.
  server.on("error", (error) => log("error", `the gateway could not take a connection and goes on: ${String(error)}`));
  return {
    port: (server.address() as AddressInfo).port,
    authorities: () => material?.authorities ?? new Map<string, readonly X509Certificate[]>(),
    close: () => {
      cancel();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const secrets = ({ cert, key, ca }: Material) => ({ cert, key, ...(ca === undefined ? {} : { ca }), minVersion: "TLSv1.2" as const });

function readMaterial({ certificate, key, clientAuthorities }: TlsFiles): Material {
  const files = authorityFiles(clientAuthorities);
  const authorities = new Map(files.map((file) => [basename(file, ".pem"), certificatesIn(readFileSync(file, "utf8"))]));
  const ca = files.map((file) => readFileSync(file));
  return { cert: readFileSync(certificate), key: readFileSync(key), ...(clientAuthorities === undefined ? {} : { ca }), authorities };
}

const authorityFiles = (folder: string | undefined): string[] =>
  folder === undefined
    ? []
    : readdirSync(folder)
        .filter((name) => name.endsWith(".pem"))
        .map((name) => join(folder, name));

const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((one) => new X509Certificate(one));

/** What changes when any of the files does. */
const modifiedOf = ({ certificate, key, clientAuthorities }: TlsFiles): string =>
  [certificate, key, ...authorityFiles(clientAuthorities)].map((file) => `${file}:${statSync(file).mtimeMs}`).join("\n");

function listening(server: Server, { host, port }: ListenerSettings["address"]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
