import { request } from "node:http";
import type { NodeAddress } from "../nodes/node-fleet.ts";

/** Where a port of a node is reached: at an address, or through a socket in the file system that leads into the node's network. */
export type Door = { readonly host: string; readonly port: number } | { readonly path: string };

export type DoorOf = (node: NodeAddress, port: number) => Door;

/** Where nodes and whoever asks them are in one network. */
export const atItsAddress: DoorOf = ({ address }, port) => ({ host: address, port });

/** What a GET is answered, over a connection of its own; undefined when nobody answers in time. */
export function getOnce(
  door: Door,
  path: string,
  timeoutMilliseconds: number,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  return new Promise((resolve) => {
    // HTTP calls such a socket otherwise than `net` does.
    const where = "path" in door ? { socketPath: door.path } : door;
    const asked = request({ ...where, path, agent: false, signal: AbortSignal.timeout(timeoutMilliseconds) }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("error", () => resolve(undefined));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}
