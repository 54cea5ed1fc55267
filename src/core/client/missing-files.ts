import { ACKNOWLEDGED_AFTER } from "../rollout/pause.ts";

/** A gateway as the inventory heard of it last. */
interface HeardGateway {
  readonly name: string;
  /** Elapsed milliseconds since its last sign of life. */
  readonly silentMilliseconds: number;
  /** By UID of the rollout what is wrong with its file. */
  readonly missing: ReadonlyMap<string, string>;
}

/** A live gateway that cannot read a rollout's file, and what is wrong with it. */
export interface MissingFile {
  readonly gateway: string;
  readonly problem: string;
}

/** What a silent gateway said last says nothing of its folder now. */
const live = (gateways: readonly HeardGateway[]): readonly HeardGateway[] =>
  gateways.filter(({ silentMilliseconds }) => silentMilliseconds <= ACKNOWLEDGED_AFTER);

/** Which live gateways cannot read which file (rule C7), by UID of the rollout. */
export function missingFiles(gateways: readonly HeardGateway[]): ReadonlyMap<string, readonly MissingFile[]> {
  const found = new Map<string, MissingFile[]>();
  for (const { name: gateway, missing } of live(gateways)) {
    for (const [uid, problem] of missing) found.set(uid, [...(found.get(uid) ?? []), { gateway, problem }]);
  }
  return found;
}

/** UIDs of the rollouts whose file no live gateway can read: whichever a Client asks, it is not offered (rule C7). */
export function missingEverywhere(gateways: readonly HeardGateway[]): ReadonlySet<string> {
  const all = live(gateways).length;
  return new Set([...missingFiles(gateways)].flatMap(([uid, files]) => (files.length === all ? [uid] : [])));
}
