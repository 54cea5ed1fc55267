import { DRAIN, popDraft } from "../../../src/simulation/world.ts";

/** One PoP of the fleet, as small as it may be. */
export interface FleetPopOptions {
  readonly name: string;
  readonly timeZone: string;
  readonly region: string;
  readonly nodes?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Clocks of both hemispheres, half an hour off, and on both sides of the date line. */
export const ZONES = ["Pacific/Auckland", "Asia/Kolkata", "Europe/Berlin", "America/Sao_Paulo", "America/Los_Angeles"];

/** `p00`, `p01` … in turns over zones and regions; every third one has two nodes. */
export const popsOf = (count: number): FleetPopOptions[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `p${String(index).padStart(count > 100 ? 3 : 2, "0")}`,
    timeZone: ZONES[index % ZONES.length]!,
    region: `region-${index % Math.max(3, Math.floor(count / 8))}`,
    nodes: index % 3 === 2 ? 2 : 1,
  }));

/** The query by which a PoP is judged as a whole: 0 is well. */
export const sicknessQuery = (pop: string): string => `pop_sick{pop="${pop}"}`;

/** The image of one PoP: a registry that has lost it breaks the version there, and nowhere else. */
export const imageOf = (pop: string, version: string): string => `registry.example/${pop}:${version}`;

/** Asked twice a minute: a fleet that is watched for five weeks is asked often enough by that. */
const RARELY = { successes: 2, failures: 2, interval: "30s", timeout: "2s" };

export function fleetPop({ name, timeZone, region, nodes = 1, labels = {} }: FleetPopOptions, version: string | undefined): object {
  const draft = popDraft(name, {
    timeZone,
    strategy: { bake: "30m", drain: { ...DRAIN, timeout: "20s" }, perNode: { expected: "5m", deadline: "8m", soak: "5s", retries: 0 } },
    health: {
      prometheus: { url: "http://prometheus.simulation:9090" },
      node: [{ name: "ready", http: { port: 8080, path: "/healthz" }, ...RARELY }],
      pop: [{ name: "sick", prometheus: { query: sicknessQuery(name), passIf: "< 1" }, ...RARELY }],
    },
    spec: {
      region,
      content: {
        load: { http: { port: 8080, path: "/content" } },
        health: [{ name: "content", http: { port: 8080, path: "/healthz?content" }, ...RARELY }],
      },
    },
  });
  const spec = draft.spec as unknown as { version?: string; template: { spec: { containers: { image: string }[] } } };
  spec.template.spec.containers[0]!.image = imageOf(name, "${version}");
  if (version === undefined) delete spec.version;
  else spec.version = version;
  return { ...draft, metadata: { ...draft.metadata, labels: { ...labels, size: nodes > 1 ? "large" : "small" } } };
}
