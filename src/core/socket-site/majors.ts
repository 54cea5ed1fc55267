import { compareVersions, socketMajor } from "../../api/version.ts";
import type { SocketView } from "./view.ts";

export interface MixedPair {
  readonly lower: SocketView;
  readonly higher: SocketView;
}

/** The two Sockets of a pair that runs two majors (rules V2, S6); undefined where it does not, or where one has not said what it runs. */
export function higherAndLower(sockets: readonly SocketView[]): MixedPair | undefined {
  const [first, second] = sockets;
  if (first?.version === undefined || second?.version === undefined) return undefined;
  if (socketMajor(first.version) === socketMajor(second.version)) return undefined;
  return compareVersions(first.version, second.version) < 0 ? { lower: first, higher: second } : { lower: second, higher: first };
}
