import { CLAIM_ANNOTATION, POP_LABEL, RELEASED_PREFIX, REVISION_LABEL, UPDATING_TAINT } from "../../../api/names.ts";
import type { Cache, Kind } from "../../../control/ports.ts";
import { WHOLE_NODE } from "../../../simulation/nodes/kubelet.ts";
import type { Stage } from "../stage.ts";
import { DUAL_SITES, FLEET_POPS, type FleetPop } from "./cast.ts";

type NodeObject = typeof WHOLE_NODE extends Kind<infer T> ? T : never;

/** One node that served and was taken out by a claim, a taint or a label that left. */
export interface Disruption {
  readonly pop: FleetPop;
  readonly node: string;
  /** Calendar milliseconds at which it was seen. */
  readonly from: number;
  /** The version that it served when it was taken out. */
  readonly ran: string | undefined;
}

/** The most that was out at one moment, and who. */
export interface Peak {
  readonly count: number;
  readonly who: string;
}
const NONE: Peak = { count: 0, who: "nobody" };

/** Who was out, as the nodes themselves bear it: read from the API server's nodes, and from no status of the operator. */
export class Disruptions {
  readonly #stage: Stage;
  readonly #bad: string;
  readonly #served: (node: string) => string | undefined;
  readonly #nodes: Cache<NodeObject>;
  readonly #whole = new Set<string>();
  readonly #out = new Map<string, Disruption>();
  #all: Disruption[] = [];
  #peaks = new Map<string, Peak>();
  #brokenSites = new Set<string>();

  /** `bad`: the version from which PoPs go back; `served`: the version that a node serves now. */
  constructor(stage: Stage, bad: string, served: (node: string) => string | undefined) {
    this.#stage = stage;
    this.#bad = bad;
    this.#served = served;
    this.#nodes = stage.cluster.cache(WHOLE_NODE);
    this.#nodes.onChange((node, deleted) => this.#see(node, deleted));
  }

  whenSynced(): Promise<void> {
    return this.#nodes.whenSynced();
  }

  /** Forgets what was: the next questions are about what comes. */
  begin(): void {
    this.#all = [...this.#out.values()];
    this.#peaks = new Map();
    this.#brokenSites = new Set();
  }

  /** Since `begin`. */
  get all(): readonly Disruption[] {
    return this.#all;
  }

  /** `forward`: PoPs whose nodes served anything but `bad`; `back`: those that served it. Of a region, or of the whole fleet. */
  peak(kind: "forward" | "back", region?: string): Peak {
    return this.#peaks.get(`${kind}/${region ?? ""}`) ?? NONE;
  }

  /** Sites whose two PoPs were out together. */
  get brokenSites(): readonly string[] {
    return [...this.#brokenSites];
  }

  /** PoPs with a node out now. */
  outNow(): ReadonlySet<string> {
    return new Set([...this.#out.values()].map(({ pop }) => pop.name));
  }

  close(): void {
    this.#nodes.stop();
  }

  #see(node: NodeObject, deleted: boolean): void {
    const { name, labels = {} } = node.metadata;
    const pop = FLEET_POPS.find((one) => one.name === labels[POP_LABEL]);
    if (!pop || deleted) return void (this.#out.delete(name), this.#whole.delete(name));
    if (isWhole(node)) {
      this.#whole.add(name);
      this.#out.delete(name);
    } else if (this.#whole.has(name) && !this.#out.has(name)) {
      const disruption = { pop, node: name, from: this.#stage.clock.now(), ran: this.#served(name) };
      this.#out.set(name, disruption);
      this.#all.push(disruption);
      this.#count();
    }
  }

  #count(): void {
    for (const kind of ["forward", "back"] as const) {
      const out = [...this.#out.values()].filter(({ ran }) => (ran === this.#bad) === (kind === "back"));
      for (const region of new Set(["", ...out.map(({ pop }) => pop.region)])) {
        const pops = [...new Set(out.filter(({ pop }) => region === "" || pop.region === region).map(({ pop }) => pop.name))];
        const key = `${kind}/${region}`;
        if (pops.length > (this.#peaks.get(key)?.count ?? 0)) this.#peaks.set(key, { count: pops.length, who: pops.join(", ") });
      }
    }
    const out = this.outNow();
    for (const pair of DUAL_SITES) if (pair.every((pop) => out.has(pop))) this.#brokenSites.add(pair.join(" and "));
  }
}

function isWhole({ metadata, spec }: NodeObject): boolean {
  const claim = metadata.annotations?.[CLAIM_ANNOTATION];
  const claimed = claim !== undefined && !claim.startsWith(RELEASED_PREFIX);
  return !claimed && metadata.labels?.[REVISION_LABEL] !== undefined && !(spec?.taints ?? []).some(({ key }) => key === UPDATING_TAINT);
}
