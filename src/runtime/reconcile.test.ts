import { describe, expect, it } from "vitest";
import { VirtualClock } from "../simulation/clock.ts";
import { sleep } from "./clock.ts";
import { type DecisionShape, type Loop, type Reading, reconcile, type Reconciler } from "./reconcile.ts";

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

  it("goes on with what its writes were answered: one reading", async () => {
    expect(await readsOf({ answers: true })).toBe(1);
  });

  it("[G5] believes a reading for a second at most: with writes of 600 ms each, every second one is followed by another", async () => {
    expect(await readsOf({ answers: true, slow: 600 })).toBe(2);
  });
});

interface Node {
  readonly label: "old" | "none" | "new" | "strange";
  readonly others: number;
}
type NodeStep = DecisionShape<string, "label on" | "look after the others", never>;

/** One node that is to get its label back, beside others that only a list shows. `refresh` reads the node alone. */
class OneNode implements Reconciler<Node, string, "label on" | "look after the others", never, NodeStep> {
  readonly kind = "Node";
  readonly done: string[] = [];
  stored: Node = { label: "old", others: 0 };
  cached: Node = this.stored;
  edited = false;
  readonly rereading = {
    last: new Map<string, Reading<Node>>(),
    refresh: ({ others }: Node): Promise<Node> => {
      this.done.push("GET");
      return Promise.resolve({ label: this.stored.label, others });
    },
    isOutdated: (): boolean => this.edited,
    suffices: (_: Node, { actions }: NodeStep): boolean => actions.every((action) => action === "label on"),
  };

  observe = () => Promise.resolve(this.cached);

  observeLive(): Promise<Node> {
    this.done.push("list");
    return Promise.resolve(this.stored);
  }

  decide = ({ label, others }: Node): NodeStep => {
    const on = label === "none" ? (["label on"] as const) : [];
    return { actions: [...on, ...(others > 0 || label === "strange" ? (["look after the others"] as const) : [])], probes: [] };
  };

  claim = () => Promise.resolve(undefined);

  act(seen: Node, action: "label on" | "look after the others"): Promise<Node> {
    this.done.push(action);
    const after: Partial<Node> = action === "label on" ? { label: "new" } : { label: "new", others: 0 };
    this.stored = { ...this.stored, ...after };
    return Promise.resolve({ ...seen, ...after });
  }

  isDisruptive = () => false;
  tell(): void {}
  forget(): void {}
}

/** A run that leaves a reading behind, `wait` ms, and then one that finds the world as `change` makes it. */
async function afterReading(
  change: Partial<{ stored: Partial<Node>; cached: Partial<Node>; edited: boolean }>,
  wait: number,
): Promise<string[]> {
  const clock = new VirtualClock(0);
  const node = new OneNode();
  const nothing = () => {};
  const loop: Loop<never> = { clock, isLeader: () => true, want: nothing, wakeAt: nothing, wakeAfter: nothing, isConflict: () => false };
  node.cached = { label: "none", others: 0 };
  await reconcile(node, loop, "key");
  node.done.splice(0);
  await clock.advance(wait);
  node.stored = { ...node.stored, ...change.stored };
  node.cached = { ...node.stored, ...change.cached };
  node.edited = change.edited ?? false;
  await reconcile(node, loop, "key");
  return node.done;
}

describe("a run that begins where the last one rested", () => {
  it("does what concerns the object in hand by a GET, without a list", async () => {
    expect(await afterReading({ stored: { label: "none" } }, 500)).toEqual(["GET", "label on"]);
  });

  it("[G5] lists anew when the last list is more than a second old", async () => {
    expect(await afterReading({ stored: { label: "none" } }, 1_001)).toEqual(["list", "label on"]);
  });

  it("[G5] lists anew when a cache knows already that somebody was here", async () => {
    expect(await afterReading({ stored: { label: "none" }, edited: true }, 500)).toEqual(["list", "label on", "list"]);
  });

  it("[G5] lists before it does what the object in hand alone does not bear, and does not rest on older lists than its cache", async () => {
    expect(await afterReading({ stored: { label: "none", others: 1 } }, 500)).toEqual(["GET", "label on", "list", "look after the others"]);
    expect(await afterReading({ stored: { label: "strange" } }, 500)).toEqual(["GET", "list", "look after the others"]);
    expect(await afterReading({ cached: { others: 1 } }, 500)).toEqual(["GET", "list"]);
  });
});

type Call = "ask" | "write";

/** Three effects, of which two only ask; the first question is answered last. */
class Asking implements Reconciler<readonly Call[], never, Call, never, DecisionShape<never, Call, never>> {
  readonly kind = "Asking";
  readonly order: string[] = [];
  readonly #clock: VirtualClock;
  readonly aside = { is: (action: Call) => action === "ask", recall: (seen: readonly Call[]) => seen };

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  observe = (): Promise<readonly Call[]> => Promise.resolve(["ask", "write", "write"]);
  observeLive = this.observe;
  decide = (actions: readonly Call[]) => ({ actions: this.order.length > 0 ? [] : actions, probes: [] });
  claim = () => Promise.resolve(undefined);

  async act(seen: readonly Call[], action: Call): Promise<readonly Call[]> {
    this.order.push(`${action} sent`);
    await sleep(this.#clock, action === "ask" ? 30 : 10);
    this.order.push(`${action} answered`);
    return seen;
  }

  isDisruptive = () => false;
  tell(): void {}
  forget(): void {}
}

describe("effects that leave nothing at a server", () => {
  it("are under way beside the first that does, and all of them are answered before the next one is sent", async () => {
    const clock = new VirtualClock(0);
    const asking = new Asking(clock);
    const nothing = () => {};
    const loop: Loop<never> = { clock, isLeader: () => true, want: nothing, wakeAt: nothing, wakeAfter: nothing, isConflict: () => false };
    const run = reconcile(asking, loop, "key");
    for (let turn = 0; turn < 10; turn++) await clock.advance(10);
    await run;
    expect(asking.order).toEqual(["write sent", "ask sent", "write answered", "ask answered", "write sent", "write answered"]);
  });
});
