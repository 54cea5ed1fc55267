import { createHash } from "node:crypto";
import type { COMMAND_STATES } from "../../api/socket-site-status.ts";
import type { Instant } from "../decision.ts";

export type CommandState = (typeof COMMAND_STATES)[number];

/**
 * The row that decides whether a Socket is told to install (rule S1). Who asks for the deployment gets it only by changing this row, so
 * neither a gateway with an old view nor an operator that slept can make it be told twice, too early or too late.
 */
export interface CommandRow {
  readonly id: string;
  /** The number that the device protocol knows the command by; positive and within 31 bits, because clients read it as a C int. */
  readonly action: number;
  readonly account: string;
  readonly site: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly serial: string;
  readonly version: string;
  /** UID of the SocketRollout: its artifact is what is fetched. */
  readonly rollout: string;
  /** The command may be given at instants t with notBefore ≤ t ≤ notAfter: start and last start of this Socket. Both inclusive. */
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly state: CommandState;
  /** When it was given first. */
  readonly givenAt?: Instant;
  /** When the device first said that it proceeds; after `notAfter` it is counted as a late start (rule S14). */
  readonly proceedingAt?: Instant;
  readonly endedAt?: Instant;
  /** What the device said last, stripped and cut (rule G12). */
  readonly said?: string;
}

/** What may happen to a row, who does it, and from which states. Everything else changes no row. */
export const TRANSITIONS = {
  /** The gateway, inside the row's time, when the device asks for its deployment. Given again is given: the answer may have been lost. */
  give: { from: ["Open", "Given"], to: "Given" },
  /** Feedback: download, proceeding, resumed. */
  proceed: { from: ["Given", "Proceeding"], to: "Proceeding" },
  /** Feedback: closed with success. Progress, and no proof: what the Socket runs it says itself (rule S12). */
  succeed: { from: ["Given", "Proceeding"], to: "Succeeded" },
  /** Feedback: closed with failure, or rejected. */
  fail: { from: ["Given", "Proceeding"], to: "Failed" },
  /** The operator takes back what nobody has: at last start, for a pause, a freeze, a stop. */
  withdraw: { from: ["Open"], to: "Withdrawn" },
  /** The device confirms a cancel: it had the command and drops it. */
  cancel: { from: ["Given"], to: "Withdrawn" },
  /** The operator, at the next window, of a device that took it and never said how it ended. */
  giveUp: { from: ["Given", "Proceeding"], to: "Unknown" },
} as const satisfies Record<string, { readonly from: readonly CommandState[]; readonly to: CommandState }>;
export type CommandAct = keyof typeof TRANSITIONS;

/** Nobody has it and nobody will: the next command may be claimed. The others hold the Socket, and with it the pair (S2, I4). */
export const isOver = (state: CommandState): boolean => state !== "Open" && state !== "Given" && state !== "Proceeding";

/**
 * What the one statement of an act does to a row, or undefined when it changes none. The inventories do it in SQL; this is what they are
 * compared with, and what the simulated one runs.
 */
export function afterAct(row: CommandRow, act: CommandAct, now: Instant): CommandRow | undefined {
  const { from, to } = TRANSITIONS[act];
  if (!(from as readonly CommandState[]).includes(row.state)) return undefined;
  if (act === "give" && !(row.notBefore <= now && now <= row.notAfter)) return undefined;
  return {
    ...row,
    state: to,
    ...(act === "give" && row.givenAt === undefined ? { givenAt: now } : {}),
    ...(act === "proceed" && row.proceedingAt === undefined ? { proceedingAt: now } : {}),
    ...(isOver(to) ? { endedAt: now } : {}),
  };
}

/** What a command is the command of (rules S1, I9). The attempt only grows in the site's status, so an id never comes twice. */
export interface CommandOf {
  readonly siteUid: string;
  readonly generation: number;
  readonly serial: string;
  readonly attempt: number;
}

export const commandId = ({ siteUid, generation, serial, attempt }: CommandOf): string => `${siteUid}.${generation}.${serial}.${attempt}`;

/**
 * The number of a command for the device, made of its id and not counted: an inventory restored from yesterday must not give today's
 * device a number that it knows from another command. Never 0, which clients take for none.
 */
export function actionNumber(id: string): number {
  const bits = createHash("sha256").update(id).digest().readUInt32BE(0) & 0x7fffffff;
  return bits === 0 ? 1 : bits;
}
