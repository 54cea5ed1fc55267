import type { Hold, Instant } from "../../core/decision.ts";
import type { UsableOccurrence } from "../../core/window/last-start.ts";
import type { NodeSlots } from "./node-slots.ts";
import { announcedAt, brakeOn, bringing, held, isGranted, type Surroundings, wantedOf } from "./pop-brakes.ts";
import type { PopLedger } from "./pop-ledger.ts";
import { type Gate, gateAt } from "./pop-window.ts";

/** Whether a PoP may take up its next node: brakes, window and the Fleet's grant, as the controller asks at each node (rules G13, W5, G14). */
export class StartPermit {
  /** What keeps it from going on, as of the last look. */
  hold: Hold | undefined;
  #gate: { readonly of: string; readonly from: Instant; readonly answer: Gate } | undefined;
  readonly #ledger: PopLedger;
  readonly #nodes: NodeSlots;

  constructor(ledger: PopLedger, nodes: NodeSlots) {
    this.#ledger = ledger;
    this.#nodes = nodes;
  }

  /** The occurrence in which a node would start now. */
  get occurrence(): UsableOccurrence | undefined {
    const gate = this.#gate?.answer;
    return gate?.open ? gate.occurrence : undefined;
  }

  /** `Go`, or when to look again: the brakes of the way forward in their order (rule G13). Asks for the grant where only that is missing. */
  mayStart(now: Instant, seen: Surroundings, joins: boolean): "Go" | Instant | undefined {
    const { pop } = this.#ledger;
    const brake = brakeOn(pop, seen);
    if (brake === undefined && joins) return "Go";
    const gate = brake === undefined ? this.#gateNow(now, seen) : undefined;
    const hold = brake ?? (gate?.open === false ? gate.hold : undefined);
    if (hold !== undefined) {
      this.hold = hold;
      if (this.#nodes.inHand === 0) this.giveBack(hold, now);
      return gate?.until;
    }
    if (isGranted(pop, seen.fleet)) return "Go";
    this.ask("Roll", seen);
    this.hold = held("RegionBusy", "G14", "it waits for the Fleet's grant");
    return gate!.until;
  }

  #gateNow(now: Instant, seen: Surroundings): Gate {
    const { pop } = this.#ledger;
    const assignment = bringing(pop, seen, wantedOf(pop, seen));
    const announced = announcedAt(pop, assignment, now);
    const of = `${assignment?.rolloutUID}/${assignment?.from}/${assignment?.to}/${assignment?.class}/${assignment?.liftedFreezes?.join()}/${announced}`;
    const known = this.#gate;
    if (known !== undefined && known.of === of && now >= known.from && now < known.answer.until) return known.answer;
    const { window, fleet } = seen;
    const answer = gateAt({ spec: pop.spec, window, fleet, assignment, announcedAt: announced }, now);
    this.#gate = { of, from: now, answer };
    return answer;
  }

  ask(kind: "Roll" | "Rollback", seen: Surroundings): void {
    const { pop, status } = this.#ledger;
    const wanted = wantedOf(pop, seen);
    const version = status.run?.state === "Rolling" && status.run.ending === undefined ? status.run.version : wanted;
    const urgent = bringing(pop, seen, wanted)?.class === "Emergency" ? { class: "Emergency" as const } : {};
    this.#ledger.ask(kind, kind === "Roll" ? { ...urgent, ...(version === undefined ? {} : { version }) } : {});
  }

  giveBack(hold?: Hold, now?: Instant): void {
    const id = this.#ledger.giveBack();
    if (id !== undefined && hold !== undefined && now !== undefined) this.#ledger.log.gaveBack(id, hold, this.#nodes.done, now);
  }
}
