import { ACCOUNT_POLICY, type AccountPolicy } from "../api/account-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout } from "../api/client-rollout.ts";
import { APPROVAL, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE } from "../api/resources.ts";
import type { Approval } from "../api/approval.ts";
import type { Fleet } from "../api/fleet.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { PopRollout } from "../api/pop-rollout.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite } from "../api/socket-site.ts";
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
  | { readonly kind: "SocketSite"; readonly object: SocketSite }
  | { readonly kind: "SocketRollout"; readonly object: SocketRollout }
  | { readonly kind: "ClientRollout"; readonly object: ClientRollout }
  | { readonly kind: "AccountPolicy"; readonly object: AccountPolicy }
  | { readonly kind: "MaintenanceWindow"; readonly object: MaintenanceWindow };

const RESOURCES = {
  PoPCluster: POP_CLUSTER,
  Fleet: FLEET,
  MaintenanceWindow: MAINTENANCE_WINDOW,
  PoPRollout: POP_ROLLOUT,
  Approval: APPROVAL,
  TunnelSite: TUNNEL_SITE,
  SocketSite: SOCKET_SITE,
  SocketRollout: SOCKET_ROLLOUT,
  ClientRollout: CLIENT_ROLLOUT,
  AccountPolicy: ACCOUNT_POLICY,
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
  site: "SocketSite",
  socketsite: "SocketSite",
  socketsites: "SocketSite",
  sockro: "SocketRollout",
  socketrollout: "SocketRollout",
  socketrollouts: "SocketRollout",
  cliro: "ClientRollout",
  clientrollout: "ClientRollout",
  clientrollouts: "ClientRollout",
  acct: "AccountPolicy",
  policy: "AccountPolicy",
  accountpolicy: "AccountPolicy",
  accountpolicies: "AccountPolicy",
  fl: "Fleet",
  fleet: "Fleet",
  fleets: "Fleet",
  mw: "MaintenanceWindow",
  maintenancewindow: "MaintenanceWindow",
  maintenancewindows: "MaintenanceWindow",
};

/** Kinds of accounts: their namespace is a part of the name. */
const OF_ACCOUNTS: ReadonlySet<KindName> = new Set(["TunnelSite", "SocketSite", "AccountPolicy"]);

/**
 * Reads `pop/fra1`, `PoPCluster/fra1`, `fleet` (there is one), `mw/sunday`, `tun/acme/plant-1`, `policy/acme` (an account has one); a
 * name alone means a PoP. Of `allowed`
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
      `there is no kind ${JSON.stringify(first)}; ${meant === undefined ? "" : `did you mean ${meant}/${second}? Or `}write ${example}`,
    );
  }
  if (!allowed.includes(kind)) throw new Refusal(EXIT.badInput, `this is not possible with a ${kind}; write ${example}`);
  if (kind === "AccountPolicy" && second !== "account") return { kind, name: "account", namespace: second ?? first };
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
  if (kind === "AccountPolicy") return "policy/NAMESPACE";
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
  const namesakes = text.includes("/") ? [] : await namesakesOf(cluster, name, namespace, allowed);
  if (namesakes.length > 0)
    throw new Refusal(
      EXIT.nothingToActOn,
      `there is no ${kind} ${name} in namespace ${namespace}; did you mean ${namesakes.join(" or ")}?`,
    );
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

/** A name alone means a PoP; objects of other kinds that bear it, as they have to be written. */
async function namesakesOf(cluster: Cluster, name: string, namespace: string, allowed: readonly KindName[]): Promise<string[]> {
  const kinds = allowed.filter((kind) => kind !== "PoPCluster" && kind !== "Fleet" && !OF_ACCOUNTS.has(kind));
  // Only a help: who may not read a kind is told of the others.
  const found = await Promise.all(
    kinds.map((kind) => cluster.get(RESOURCES[kind] as typeof POP_CLUSTER, name, namespace).catch(() => undefined)),
  );
  return kinds.filter((_, index) => found[index] !== undefined).map((kind) => `${shortOf(kind)}/${name}`);
}

const shortOf = (kind: KindName): string => Object.keys(NAMES).find((short) => NAMES[short] === kind) ?? kind;
