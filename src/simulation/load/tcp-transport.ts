import { connect, type Socket } from "node:net";
import type { SessionOffer, SessionReferral } from "../nodes/data-plane.ts";
import { onLines, openingLine, readNodeLine } from "../nodes/session-protocol.ts";
import { atItsAddress, type DoorOf } from "./door.ts";
import type { ServingNode } from "./node-directory.ts";
import { AGAIN, type SessionConnection, type SessionTransport } from "./session-client.ts";

const ANSWER_TIMEOUT = 2_000;

/** Sessions as real TCP connections to a port of each node. */
export class TcpTransport implements SessionTransport {
  readonly #port: number;
  readonly #doorOf: DoorOf;

  constructor(port: number, doorOf: DoorOf = atItsAddress) {
    this.#port = port;
    this.#doorOf = doorOf;
  }

  connect(
    node: ServingNode,
    offer: SessionOffer,
    onLost: (referral: SessionReferral) => void,
  ): Promise<SessionConnection | SessionReferral> {
    return new Promise((resolve) => {
      const socket = connect({ ...this.#doorOf(node, this.#port), noDelay: true });
      let held = false;
      let referral = AGAIN;
      const silence = setTimeout(() => socket.destroy(), ANSWER_TIMEOUT);
      socket.on("connect", () => socket.write(openingLine(offer)));
      socket.on("error", () => socket.destroy());
      onLines(socket, (line) => {
        const said = readNodeLine(line);
        if (said?.word === "ok") {
          clearTimeout(silence);
          held = true;
          resolve(connection(socket));
        } else if (said) {
          referral = said.referral;
          // The node's word is the loss; the close that follows may take a moment longer.
          socket.destroy();
        }
      });
      socket.on("close", () => {
        clearTimeout(silence);
        if (held) onLost(referral);
        else resolve(referral);
      });
    });
  }
}

const connection = (socket: Socket): SessionConnection => ({ close: () => socket.destroy() });
