import { describe, expect, it } from "vitest";
import { VirtualClock } from "../simulation/clock.ts";
import { reconcile, type DecisionShape, type Reconciler } from "./reconcile.ts";

interface Seen {
  readonly steps: number;
  readonly live: boolean;
}
type Step = DecisionShape<number, "step", never>;

/** Something that needs three steps, and whose writes answer what stands then, or leave it to be read. */
class ThreeSteps implements Reconciler<Seen, number, "step", never, Step> {
  readonly kind = "Stairs";
  readonly #clock: VirtualClock;
  readonly #answers: boolean;
  readonly #slow: number;
  stored = 0;
  reads = 0;

  constructor(clock: VirtualClock, { answers, slow = 0 }: { readonly answers: boolean; readonly slow?: number }) {
    this.#clock = clock;
    this.#answers = answers;
    this.#slow = slow;
  }

  observe = () => Promise.resolve({ steps: this.stored, live: false });

  observeLive(): Promise<Seen> {
    this.reads++;
    return Promise.resolve({ steps: this.stored, live: true });
  }

  decide = ({ steps }: Seen): Step => ({ ...(steps < 3 ? { status: steps + 1 } : {}), actions: [], probes: [] });

  async claim(_: Seen, status: number): Promise<Seen | undefined> {
    if (this.#slow > 0) await this.#clock.advance(this.#slow);
    this.stored = status;
    return this.#answers ? { steps: status, live: true } : undefined;
  }

  act = () => Promise.resolve(undefined);
  isDisruptive = () => false;
  tell(): void {}
  forget(): void {}
}

async function readsOf(options: { readonly answers: boolean; readonly slow?: number }): Promise<number> {
  const clock = new VirtualClock(0);
  const stairs = new ThreeSteps(clock, options);
  const nothing = () => {};
  await reconcile(
    stairs,
    { clock, isLeader: () => true, want: nothing, wakeAt: nothing, wakeAfter: nothing, isConflict: () => false },
    "key",
  );
  expect(stairs.stored).toBe(3);
  return stairs.reads;
}

describe("the loop", () => {
  it("reads everything anew after each of three writes that answer nothing: four readings", async () => {
    expect(await readsOf({ answers: false })).toBe(4);
  });

  it("[G5] moves a ledger only on what was read after its last write: three moves, three readings, and rests on the last answer", async () => {
    expect(await readsOf({ answers: true })).toBe(3);
    expect(await readsOf({ answers: true, slow: 600 })).toBe(3);
  });
});
