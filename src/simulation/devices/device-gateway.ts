import type { DeviceAttributes } from "../../control/inventory.ts";

/** What a poll was answered with. */
export interface PollReply {
  /** When to poll again; elapsed milliseconds. */
  readonly sleepMilliseconds: number;
  readonly configData: boolean;
  /** The action that a deployment is offered under. */
  readonly deployment?: number;
  readonly cancel?: number;
}

/** A deployment as the device is told of it. */
export interface DeploymentReply {
  readonly version: string;
  /** False: fetch it, and install it when it is shown again with true (rule S13). */
  readonly install: boolean;
}

/** What a device says of an action. `downloaded`: fetched ahead, and it waits. */
export type Word = "proceeding" | "success" | "failure" | "downloaded" | "canceled";

/**
 * The gateway as one device reaches it: over the wire, or in the same process in the tests on virtual time. Undefined, or false: no
 * answer that says anything (away, refused, too many requests), and the device tries again at its own pace.
 */
export interface DeviceGateway {
  poll(): Promise<PollReply | undefined>;
  report(attributes: DeviceAttributes): Promise<boolean>;
  deployment(action: number): Promise<DeploymentReply | undefined>;
  /** `Gone`: the gateway knows no such command of this device, and it is not worth saying again. */
  say(action: number, word: Word): Promise<"Heard" | "Gone" | "Unheard">;
}
