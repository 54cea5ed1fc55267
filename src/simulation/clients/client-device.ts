import type { ClientSystem } from "../../api/client-rollout.ts";
import type { ClientAnswer } from "../../core/client/no-update.ts";
import type { Instant } from "../../core/decision.ts";
import { stableFraction } from "../../core/window/spread.ts";
import { MINUTE } from "../../core/time/civil.ts";
import { seededRandom } from "../clock.ts";
import type { ClientLedger } from "./client-ledger.ts";
import type { ClientHabits, PlannedClient } from "./fleet-plan.ts";

/** What becomes of an installation: it runs; it ends with an error; it ends well as it says, and the old version runs on. */
export type Fate = { readonly ends: "Runs" } | { readonly ends: "OnlySays" } | { readonly ends: "Fails"; readonly errorCode: number };
export type FateOf = (client: ClientDevice, version: string) => Fate;

/** One message of a Client: it asks for an update, or tells how an installation went. */
export interface ClientRequest {
  readonly account: string;
  readonly device: string;
  readonly user?: string;
  readonly os: ClientSystem;
  readonly version: string;
  readonly requestId: string;
  readonly asks: boolean;
  readonly said?: { readonly meaning: "Installed" | "Failed"; readonly errorCode?: number };
}

const INSTALLS_AT_LEAST = 5 * MINUTE;
const INSTALLS_AT_MOST = 40 * MINUTE;
/** So many gaps before the start that nothing of how it began is left in when it comes next. */
const GAPS_BEFORE = 64;

/** One computer with a Client: it checks in by its habits, installs what it is offered, and writes down what it heard and ran. */
export class ClientDevice {
  readonly account: string;
  readonly device: string;
  readonly user: string | undefined;
  readonly os: ClientSystem;
  readonly ledger: ClientLedger;
  /** Its last check-in, the ones before the world began counted. */
  seenAt: Instant;
  /** When it does something next. */
  due: Instant;
  readonly #random: () => number;
  readonly #habits: ClientHabits;
  readonly #fateOf: FateOf;
  readonly #id: string;
  #requests = 0;
  #installing: string | undefined;

  constructor(
    planned: PlannedClient,
    { start, habits, fateOf, seed }: { start: Instant; habits: ClientHabits; fateOf: FateOf; seed: number },
  ) {
    const { account, device, user, os, version } = planned;
    this.account = account;
    this.device = device;
    this.user = user;
    this.os = os;
    this.#id = `${account}/${device}`;
    this.#random = seededRandom(Math.floor(stableFraction(`${seed}/${this.#id}`) * 2 ** 32));
    this.#habits = habits;
    this.#fateOf = fateOf;
    this.ledger = { offered: [], ran: [{ from: start, version }], failed: [], heard: [], checkIns: 0, unanswered: 0 };
    // It was there before: the start falls somewhere into one of its gaps, more often into a long one.
    const gaps = Array.from({ length: GAPS_BEFORE }, () => this.#gap());
    this.due = start - this.#random() * gaps.reduce((sum, gap) => sum + gap, 0);
    this.seenAt = this.due;
    for (let nth = 0; this.due <= start; nth += 1) {
      this.seenAt = this.due;
      this.due += gaps[nth] ?? this.#gap();
    }
  }

  get version(): string {
    return this.ledger.ran.at(-1)!.version;
  }

  /** What it says when its hour has come. */
  speak(now: Instant): ClientRequest {
    const { account, device, user, os } = this;
    const installed = this.#installing;
    this.#requests += 1;
    const fate = installed === undefined ? undefined : this.#fateOf(this, installed);
    if (fate?.ends === "Runs") this.ledger.ran.push({ from: now, version: installed! });
    if (fate?.ends === "Fails") this.ledger.failed.push({ at: now, version: installed!, errorCode: fate.errorCode });
    const failed = fate?.ends === "Fails" ? { errorCode: fate.errorCode } : {};
    return {
      account,
      device,
      os,
      ...(user === undefined ? {} : { user }),
      version: this.version,
      requestId: `${this.#id}/${this.#requests}`,
      asks: fate === undefined,
      ...(fate === undefined ? {} : { said: { meaning: fate.ends === "Fails" ? "Failed" : "Installed", ...failed } }),
    };
  }

  /** What it was answered; undefined: it asked for nothing, or nobody answered, and it comes again. */
  hear(answer: ClientAnswer | undefined, now: Instant): void {
    const told = this.#installing !== undefined;
    this.#installing = undefined;
    if (!told && answer === undefined) this.ledger.unanswered += 1;
    if (!told && answer !== undefined) this.#asked(answer, now);
    if (this.#installing !== undefined) {
      this.due = now + INSTALLS_AT_LEAST + this.#random() * (INSTALLS_AT_MOST - INSTALLS_AT_LEAST);
    } else if (!told) this.due = now + this.#gap();
    else this.due = Math.max(this.seenAt + this.#gap(), now + MINUTE);
  }

  #asked(answer: ClientAnswer, now: Instant): void {
    const { ledger, version } = this;
    this.seenAt = now;
    ledger.checkIns += 1;
    const [said, about] = answer.kind === "Offer" ? ["Offer" as const, answer.rollout] : [answer.reason, answer.rollout];
    const last = ledger.heard.at(-1);
    if (last?.said === said && last.version === about?.version) last.to = now;
    else ledger.heard.push({ from: now, to: now, said, version: about?.version });
    if (answer.kind !== "Offer") return;
    const { rollout, stage } = answer;
    ledger.offered.push({ at: now, rollout: rollout.name, version: rollout.version, stage, on: version });
    this.#installing = rollout.version;
  }

  /** From one check-in to the next; a computer in a bag is one long gap. */
  #gap(): number {
    const { every, jitter, away } = this.#habits;
    if (this.#random() < away.share) return away.from + this.#random() * (away.to - away.from);
    return every * (1 + jitter * (2 * this.#random() - 1));
  }
}
