import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A proxy before the gateway that turns every order to install into one to skip, as a server of another make may. */
export async function skipping(port: number): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((asked, response) => {
    void (async () => {
      const forwarded = request({ port, host: "127.0.0.1", method: asked.method, path: asked.url, headers: asked.headers });
      asked.pipe(forwarded);
      const [answer] = (await once(forwarded, "response")) as [IncomingMessage];
      const body = (await text(answer)).replace('"update":"forced"', '"update":"skip"').replaceAll(`:${port}/`, `:${own()}/`);
      response.writeHead(answer.statusCode ?? 502, { "content-type": answer.headers["content-type"] ?? "text/plain" }).end(body);
    })().catch(() => response.destroy());
  });
  const own = () => (server.address() as AddressInfo).port;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: own(),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
