// Free ports on loopback. Another process may still take one before it is used; whoever starts a server on it must be ready to try others.
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

// Below the range from which Linux picks the ports of outgoing connections: such a connection could otherwise sit on a port
// between its choice here and the server's start.
const FIRST = 20_000;
const LAST = 32_000;
const ATTEMPTS = 200;

/** `count` different ports on 127.0.0.1 on which nobody listens. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`No ${count} free ports between ${FIRST} and ${LAST} on 127.0.0.1.`);
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const outcome = Promise.race([once(server, "listening").then(() => true), once(server, "error").then(() => false)]);
  server.listen({ port, host: "127.0.0.1", exclusive: true });
  const free = await outcome.catch(() => false);
  if (free) await new Promise((done) => server.close(done));
  return free;
}
