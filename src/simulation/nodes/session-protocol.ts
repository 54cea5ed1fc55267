import type { Socket } from "node:net";
import type { DataPlane, SessionOffer, SessionReferral } from "./data-plane.ts";

/**
 * The lines that sessions speak, each ended by a newline. The client opens with `session <id> from=<node|-> lost=<milliseconds>`; the
 * node answers `ok <node> started=<epoch ms>` or `busy after=<ms> to=<pop|->`, and says `bye after=<ms> to=<pop|->` before it hangs up.
 */
export const openingLine = ({ id, from, lostMilliseconds }: SessionOffer): string =>
  `session ${id} from=${from} lost=${Math.round(lostMilliseconds)}\n`;

export type NodeLine =
  | { readonly word: "ok"; readonly node: string; readonly started: number }
  | { readonly word: "busy" | "bye"; readonly referral: SessionReferral };

/** Reads a line of the node; undefined when it is none. */
export function readNodeLine(line: string): NodeLine | undefined {
  const ok = /^ok (\S+) started=(\d+)$/.exec(line);
  if (ok) return { word: "ok", node: ok[1]!, started: Number(ok[2]) };
  const other = /^(busy|bye) after=(\d+) to=(\S+)$/.exec(line);
  return other ? { word: other[1] as "busy" | "bye", referral: { afterMilliseconds: Number(other[2]), to: other[3]! } } : undefined;
}

/** Reads the opening line; undefined when it is none. */
export function readOpeningLine(line: string): SessionOffer | undefined {
  const found = /^session (\S{1,64}) from=(\S{1,253}) lost=(\d{1,12})$/.exec(line);
  return found ? { id: found[1]!, from: found[2]!, lostMilliseconds: Number(found[3]) } : undefined;
}

/** Calls back with each whole line of a socket; a line that never ends closes it. */
export function onLines(socket: Socket, listener: (line: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > 1_024) socket.destroy();
    for (const line of lines) listener(line);
  });
}

const referralLine = (word: "busy" | "bye", { afterMilliseconds, to }: SessionReferral): string =>
  `${word} after=${Math.ceil(afterMilliseconds)} to=${to}\n`;

/** The node's side of one connection. */
export function serveSession(plane: DataPlane, socket: Socket): void {
  let leave: (() => void) | undefined;
  socket.setNoDelay(true);
  socket.on("close", () => leave?.());
  onLines(socket, (line) => {
    const offer = leave ? undefined : readOpeningLine(line);
    if (!offer) return void socket.end(`error: expected one line "session <id> from=<node|-> lost=<milliseconds>"\n`);
    const answer = plane.offer(offer, (referral) => socket.end(referralLine("bye", referral)));
    if (!answer.accepted) return void socket.end(referralLine("busy", answer));
    leave = answer.leave;
    socket.write(`ok ${plane.identity.node} started=${answer.started}\n`);
  });
}
