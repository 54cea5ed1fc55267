import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../api/resources.ts";
import type { Fleet } from "../api/fleet.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { Cluster } from "../control/ports.ts";
import { closest } from "../core/closest.ts";
import { EXIT } from "./exit-codes.ts";
import { Refusal } from "./refusal.ts";

/** An object that a person named as KIND/NAME. */
export type Target =
  | { readonly kind: "PoPCluster"; readonly object: PopCluster }
  | { readonly kind: "Fleet"; readonly object: Fleet }
  | { readonly kind: "MaintenanceWindow"; readonly object: MaintenanceWindow };

const RESOURCES = { PoPCluster: POP_CLUSTER, Fleet: FLEET, MaintenanceWindow: MAINTENANCE_WINDOW } as const;
type KindName = keyof typeof RESOURCES;

const NAMES: Readonly<Record<string, KindName>> = {
  pop: "PoPCluster",
  popcluster: "PoPCluster",
  popclusters: "PoPCluster",
  fl: "Fleet",
  fleet: "Fleet",
  fleets: "Fleet",
  mw: "MaintenanceWindow",
  maintenancewindow: "MaintenanceWindow",
  maintenancewindows: "MaintenanceWindow",
};

/** Reads `pop/fra1`, `PoPCluster/fra1`, `fleet` (there is one), `mw/sunday`; a name alone means a PoP. Of `allowed` kinds only. */
export function parseTarget(text: string, allowed: readonly KindName[]): { readonly kind: KindName; readonly name: string } {
  const [first = "", second, ...rest] = text.split("/");
  const example = allowed.map((kind) => (kind === "Fleet" ? "fleet" : `${RESOURCES[kind].kind}/NAME`)).join(", ");
  if (rest.length > 0 || first === "" || second === "")
    throw new Refusal(EXIT.badInput, `${JSON.stringify(text)} names nothing; write ${example}`);
  const isFleet = second === undefined && NAMES[first.toLowerCase()] === "Fleet";
  const kind = second === undefined && !isFleet ? "PoPCluster" : NAMES[first.toLowerCase()];
  if (kind === undefined) {
    const meant = closest(first, Object.keys(NAMES));
    throw new Refusal(
      EXIT.badInput,
      `there is no kind ${JSON.stringify(first)}${meant === undefined ? "" : `; did you mean ${meant}/${second}?`} Known here: ${example}`,
    );
  }
  if (!allowed.includes(kind)) throw new Refusal(EXIT.badInput, `this is not possible with a ${kind}; write ${example}`);
  return { kind, name: second ?? (isFleet ? "fleet" : first) };
}

/** The object itself, or a sentence that names what is there instead. */
export async function findTarget<Name extends KindName>(
  cluster: Cluster,
  text: string,
  namespace: string,
  allowed: readonly Name[],
): Promise<Extract<Target, { kind: Name }>> {
  const { kind, name } = parseTarget(text, allowed);
  const resource: typeof POP_CLUSTER = RESOURCES[kind] as typeof POP_CLUSTER;
  const object = await cluster.get(resource, name, namespace);
  if (object !== undefined) return { kind, object } as unknown as Extract<Target, { kind: Name }>;
  const others = (await cluster.list(resource, { namespace })).map((one) => one.metadata.name);
  const meant = closest(name, others);
  const instead =
    others.length === 0
      ? `that namespace has no ${kind} at all (another one: -n)`
      : meant === undefined
        ? `it has ${others.slice(0, 10).join(", ")}`
        : `did you mean ${meant}?`;
  throw new Refusal(EXIT.nothingToActOn, `there is no ${kind} ${name} in namespace ${namespace}; ${instead}`);
}
