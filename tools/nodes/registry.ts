// A registry of images that can be pulled from and nothing else: what containerd asks for (OCI distribution, pull), out of a folder that
// images.ts wrote. What it does not have it says at once, with the code by which a runtime knows that waiting is of no use.
//
// argv: the folder, the address, the port.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { blobPath, MANIFEST_TYPE, readTags } from "./images.ts";

const [store = "", host = "", port = ""] = process.argv.slice(2);
const tags = readTags(store) ?? {};
const DIGEST = /^sha256:[0-9a-f]{64}$/;

createServer(answer).listen(Number(port), host);

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? "/", "http://registry");
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405, "UNSUPPORTED", "images are only served here");
  if (pathname === "/v2/") return void response.end("{}");
  const [, repository = "", kind = "", reference = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
  const digest = DIGEST.test(reference) ? reference : tags[`${repository}:${reference}`];
  const missing = kind === "manifests" ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN";
  if (digest === undefined || !existsSync(blobPath(store, digest))) return refuse(response, 404, missing, `${repository}: no ${reference}`);
  response.setHeader("content-type", kind === "manifests" ? MANIFEST_TYPE : "application/octet-stream");
  response.setHeader("content-length", statSync(blobPath(store, digest)).size);
  response.setHeader("docker-content-digest", digest);
  if (request.method === "HEAD") return void response.end();
  createReadStream(blobPath(store, digest)).pipe(response);
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}
