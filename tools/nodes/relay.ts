// Carries connections between network namespaces: a socket in a folder is the same for all of them. Each pair of arguments is where to
// listen and where to connect, as a path or as address:port.
import { connect, createServer } from "node:net";

type Place = { readonly path: string } | { readonly host: string; readonly port: number };

function placeOf(text: string): Place {
  if (text.startsWith("/")) return { path: text };
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

const places = process.argv.slice(2);
for (let index = 0; index + 1 < places.length; index += 2) {
  const [from, to] = [placeOf(places[index]!), placeOf(places[index + 1]!)];
  // Half-closed ends stay: a server may still answer when its client has said all.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ ...to, allowHalfOpen: true });
    // A broken connection is broken for both; whoever asked sees it by himself.
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => other.destroy());
      one.pipe(other);
    }
  });
  server.listen(from);
}
