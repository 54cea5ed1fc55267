import type { Clock } from "../../runtime/clock.ts";
import type { DoorOf } from "../../simulation/load/door.ts";
import type { StageNodes } from "./stage.ts";

/** Who runs the nodes of a real API server, and the ways to them from here. */
export interface NodeGround {
  readonly nodes: StageNodes;
  readonly doorOf: DoorOf;
  /** Put before a command, they run it where the nodes' addresses are known. */
  readonly enter: readonly string[];
  /** Images that the nodes' registry is to have no more. */
  readonly missingImages: Set<string>;
  /** The nodes end, and what was opened for them closes. */
  end(): Promise<void>;
}

/** `clock`: the play's calendar. */
export type OpenNodes = (clock: Clock) => Promise<NodeGround>;
