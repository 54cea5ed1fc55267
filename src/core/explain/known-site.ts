import { cleanText } from "../text.ts";
import type { SocketSite } from "../../api/socket-site.ts";

type Upgrade = NonNullable<NonNullable<SocketSite["status"]>["upgrade"]>;
type Socket = NonNullable<NonNullable<SocketSite["status"]>["sockets"]>[number];

/** What the inventory knows of a site at this moment. A status rests while a Socket is in hand (rule B12), and this does not. */
export interface KnownSite {
  readonly sockets: readonly {
    readonly serial: string;
    readonly version?: string;
    /** Elapsed since it last polled; absent: never, or not since the inventory was restored. */
    readonly polledMilliseconds?: number;
  }[];
  /** The row of the command that status names; absent: the inventory has none. */
  readonly command?: {
    readonly state: NonNullable<Upgrade["command"]>["state"];
    readonly givenAt?: number;
    readonly proceedingAt?: number;
    readonly endedAt?: number;
    readonly said?: string;
  };
}

/** A status with what the inventory knows written over what it said: what each Socket runs, and how far the one in hand is. */
export function asKnown(status: NonNullable<SocketSite["status"]>, known: KnownSite | undefined): NonNullable<SocketSite["status"]> {
  if (known === undefined) return status;
  const sockets = status.sockets?.map((socket) => socketAsKnown(socket, known));
  const { upgrade } = status;
  const step = upgrade && stepOf(upgrade, known);
  return {
    ...status,
    ...(sockets === undefined ? {} : { sockets }),
    ...(upgrade === undefined || step === undefined ? {} : { upgrade: { ...upgrade, step } }),
  };
}

function socketAsKnown(socket: Socket, { sockets }: KnownSite): Socket {
  const version = sockets.find(({ serial }) => serial === socket.serial)?.version;
  return version === undefined ? socket : { ...socket, version: cleanText(version, 64) };
}

/** By what the row and the Socket say; the operator counts it only after `verify` (rule S12). */
function stepOf({ command, version }: Upgrade, { command: row, sockets }: KnownSite): Upgrade["step"] | undefined {
  if (command === undefined) return undefined;
  const runs = sockets.find(({ serial }) => serial === command.serial)?.version;
  if (runs === version || row?.state === "Succeeded") return "Verifying";
  return row === undefined || row.state === "Open" ? undefined : "InProgress";
}
