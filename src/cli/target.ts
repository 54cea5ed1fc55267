import { APPROVAL, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE } from "../api/resources.ts";
import type { Approval } from "../api/approval.ts";
import type { Fleet } from "../api/fleet.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { PopRollout } from "../api/pop-rollout.ts";
import type { TunnelSite } from "../api/tunnel-site.ts";
import type { Cluster } from "../control/ports.ts";
import { closest } from "../core/closest.ts";
import { EXIT } from "./exit-codes.ts";
import { Refusal } from "./refusal.ts";

/** An object that a person named as KIND/NAME, or KIND/NAMESPACE/NAME where accounts have such objects too. */
export type Target =
  | { readonly kind: "PoPCluster"; readonly object: PopCluster }
  | { readonly kind: "Fleet"; readonly object: Fleet }
  | { readonly kind: "PoPRollout"; readonly object: PopRollout }
  | { readonly kind: "Approval"; readonly object: Approval }
  | { readonly kind: "TunnelSite"; readonly object: TunnelSite }
  | { readonly kind: "MaintenanceWindow"; readonly object: MaintenanceWindow };

const RESOURCES = {
  PoPCluster: POP_CLUSTER,
  Fleet: FLEET,
  MaintenanceWindow: MAINTENANCE_WINDOW,
  PoPRollout: POP_ROLLOUT,
  Approval: APPROVAL,
  TunnelSite: TUNNEL_SITE,
} as const;
type KindName = keyof typeof RESOURCES;

const NAMES: Readonly<Record<string, KindName>> = {
  pop: "PoPCluster",
  popcluster: "PoPCluster",
  popclusters: "PoPCluster",
  popro: "PoPRollout",
  poprollout: "PoPRollout",
  poprollouts: "PoPRollout",
  apv: "Approval",
  approval: "Approval",
  approvals: "Approval",
  tun: "TunnelSite",
  tunnelsite: "TunnelSite",
  tunnelsites: "TunnelSite",
  fl: "Fleet",
  fleet: "Fleet",
  fleets: "Fleet",
  mw: "MaintenanceWindow",
  maintenancewindow: "MaintenanceWindow",
  maintenancewindows: "MaintenanceWindow",
};

/** Kinds of accounts: their namespace is a part of the name. */
const OF_ACCOUNTS: ReadonlySet<KindName> = new Set(["TunnelSite"]);

/**
 * Reads `pop/fra1`, `PoPCluster/fra1`, `fleet` (there is one), `mw/sunday`, `tun/acme/plant-1`; a name alone means a PoP. Of `allowed`
 * kinds only. `namespace` only where it was written.
 */
export function parseTarget(
  text: string,
  allowed: readonly KindName[],
): { readonly kind: KindName; readonly name: string; readonly namespace?: string } {
  const [first = "", second, third, ...rest] = text.split("/");
  const example = allowed.map(exampleOf).join(", ");
  if (third !== undefined && third !== "" && second !== "" && rest.length === 0 && OF_ACCOUNTS.has(NAMES[first.toLowerCase()]!))
    return { ...parseTarget(`${first}/${third}`, allowed), namespace: second! };
  if (third !== undefined || first === "" || second === "")
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

/** Kinds of which a part can be named: `pop/fra1/NODE`, `popro/r-2026-11-2/WAVE`. */
const WITH_PARTS: ReadonlySet<KindName> = new Set(["PoPCluster", "PoPRollout"]);

/** Takes the third part off the name of something that has parts; any other text stays as it is. */
export function splitPart(text: string): { readonly whole: string; readonly part?: string } {
  const [first = "", name = "", part = "", ...rest] = text.split("/");
  const kind = NAMES[first.toLowerCase()];
  if (name === "" || part === "" || rest.length > 0 || kind === undefined || !WITH_PARTS.has(kind)) return { whole: text };
  return { whole: `${first}/${name}`, part };
}

function exampleOf(kind: KindName): string {
  if (kind === "Fleet") return "fleet";
  return `${RESOURCES[kind].kind}/${OF_ACCOUNTS.has(kind) ? "NAMESPACE/" : ""}NAME`;
}

/** The object itself, or a sentence that names what is there instead. */
export async function findTarget<Name extends KindName>(
  cluster: Cluster,
  text: string,
  fleetNamespace: string,
  allowed: readonly Name[],
): Promise<Extract<Target, { kind: Name }>> {
  const { kind, name, namespace = fleetNamespace } = parseTarget(text, allowed);
  const resource: typeof POP_CLUSTER = RESOURCES[kind] as typeof POP_CLUSTER;
  const object = await cluster.get(resource, name, namespace);
  if (object !== undefined) return { kind, object } as unknown as Extract<Target, { kind: Name }>;
  const others = (await cluster.list(resource, { namespace })).map((one) => one.metadata.name);
  const meant = closest(name, others);
  const instead =
    others.length === 0
      ? `that namespace has no ${kind} at all (another one: ${OF_ACCOUNTS.has(kind) ? exampleOf(kind) : "-n"})`
      : meant === undefined
        ? `it has ${others.slice(0, 10).join(", ")}`
        : `did you mean ${meant}?`;
  throw new Refusal(EXIT.nothingToActOn, `there is no ${kind} ${name} in namespace ${namespace}; ${instead}`);
}
