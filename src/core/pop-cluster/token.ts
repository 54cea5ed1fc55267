import { RELEASED_PREFIX } from "../../api/names.ts";
import { stableHash } from "../rollout/order.ts";

/** The claim's token (rule G5a): a short hash of (PoPCluster UID, run, node UID, attempt). */
export const claimToken = (popUID: string, run: number, nodeUID: string, attempt: number): string =>
  stableHash([popUID, run, nodeUID, attempt], 16);

/** A claim that has not ended. */
export const isActive = (claim: string | undefined): claim is string => claim !== undefined && !claim.startsWith(RELEASED_PREFIX);

export const released = (token: string): string => `${RELEASED_PREFIX}${token}`;
