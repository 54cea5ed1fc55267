import { FLEET_NAMESPACE, popDraft } from "../../simulation/world.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { Draft } from "../../control/ports.ts";

/** A point of presence of the play. */
export interface CastPop {
  readonly name: string;
  readonly city: string;
  readonly zone: string;
  readonly region: string;
}

export const TOKYO: CastPop = { name: "tyo1", city: "Tokyo", zone: "Asia/Tokyo", region: "ap-northeast" };
export const BERLIN: CastPop = { name: "ber1", city: "Berlin", zone: "Europe/Berlin", region: "eu-central" };
export const POPS: readonly CastPop[] = [TOKYO, BERLIN];
export const NODES_PER_POP = 4;
/** Held in each PoP by the load generator; thirty on a node, so that losing them is noticed (health.minimumSamples). */
export const SESSIONS_PER_POP = 120;
export const NAMESPACE = FLEET_NAMESPACE;

/** The calendar when the curtain rises: a Saturday, before either PoP's Sunday. */
export const CURTAIN = Date.parse("2026-11-21T12:00:00Z");

/**
 * When Sunday 01:00 is, written down here and not computed: the play checks the operator against a calendar on the wall. One object in
 * local time gives all of these. Tokyo is UTC+9, Berlin in winter UTC+1.
 */
export const SUNDAYS = {
  tyo1: ["2026-11-21T16:00:00.000Z", "2026-11-28T16:00:00.000Z", "2026-12-05T16:00:00.000Z"],
  ber1: ["2026-11-22T00:00:00.000Z", "2026-11-29T00:00:00.000Z", "2026-12-06T00:00:00.000Z", "2026-12-13T00:00:00.000Z"],
} as const;

/** Four hours of window less the two minutes that a node is expected to take: the last start (rule W4). */
export const LAST_START_AFTER = 4 * 3_600_000 - 120_000;

/** The versions in the order of the play; how each behaves stands in its name (simulation/nodes/behaviour.ts). */
export interface Versions {
  readonly first: string;
  readonly good: string;
  readonly cannotBePulled: string;
  readonly crashes: string;
  readonly losesSessions: string;
  readonly badAfterAnHour: string;
  readonly fixed: string;
}

/** What every play of the first act needs of its versions. */
export type GoodVersions = Pick<Versions, "first" | "good">;

export const VERSIONS: Versions = {
  first: "1.0.0",
  good: "1.1.0",
  cannotBePulled: "1.2.0-no-pull",
  crashes: "1.2.1-crash-loop",
  losesSessions: "1.2.2-loses-sessions",
  badAfterAnHour: "1.2.3-bad-after-1h",
  fixed: "1.2.4",
};

/** How long things take. Nothing of it changes what happens. */
export interface Tempo {
  readonly soak: string;
  readonly bake: string;
  readonly checkInterval: string;
  /** Real milliseconds that the calendar's way to the next event takes on a terminal. */
  readonly stretchMilliseconds: number;
  /** So long before a window's last start the last act begins: time for one or two nodes, not for four. */
  readonly beforeLastStartMilliseconds: number;
}

export const USUAL_TEMPO: Tempo = {
  soak: "8s",
  bake: "10m",
  checkInterval: "1s",
  stretchMilliseconds: 5_000,
  beforeLastStartMilliseconds: 20_000,
};
export const FAST_TEMPO: Tempo = {
  soak: "1s",
  bake: "1m",
  checkInterval: "1s",
  stretchMilliseconds: 500,
  beforeLastStartMilliseconds: 7_000,
};
/** In memory time costs nothing, a sample does. */
export const EMBEDDED_TEMPO: Tempo = {
  soak: "8s",
  bake: "10m",
  checkInterval: "2s",
  stretchMilliseconds: 0,
  beforeLastStartMilliseconds: 20_000,
};

export function castDraft(pop: CastPop, version: string, tempo: Tempo): Draft<PopCluster> {
  const check = { name: "healthz", http: { port: 8080, path: "/healthz" }, successes: 2, failures: 2, timeout: "1s" };
  return popDraft(pop.name, {
    version,
    timeZone: pop.zone,
    strategy: {
      bake: tempo.bake,
      watch: "24h",
      perNode: { expected: "2m", deadline: "5m", soak: tempo.soak, retries: 0 },
    },
    health: { node: [{ ...check, interval: tempo.checkInterval }], minimumSamples: 20 },
    spec: { region: pop.region, displayName: pop.city },
  });
}
