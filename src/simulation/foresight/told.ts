import type { PopRollout } from "../../api/pop-rollout.ts";
import { cap } from "../../core/text.ts";
import type { Conflict, ConflictKind } from "./types.ts";

const NAMED = 16;
const MOST_TEXT = 1024;

interface Told {
  readonly kind: ConflictKind;
  readonly severity?: Conflict["severity"];
  readonly rollout: PopRollout;
  readonly who: readonly string[];
  readonly message: string;
}

/** A conflict of a rollout, cut to what a status or a page holds. */
export const tell = ({ kind, severity = "Conflict", rollout, who, message }: Told): Conflict => ({
  kind,
  severity,
  rollout: rollout.metadata.name,
  who: who.toSorted().slice(0, NAMED),
  count: who.length,
  message: cap(message, MOST_TEXT),
});
