import type { SocketSiteStatus } from "../../api/socket-site.ts";
import { higherAndLower } from "./majors.ts";
import { has, hasBegun, type SiteView } from "./view.ts";

type Check = NonNullable<SocketSiteStatus["ha"]>["checks"][number];

/** What a pair is looked at for (rule S6). Empty for a site with one Socket. */
export function haChecks(view: SiteView): readonly Check[] {
  return view.pair ? [keepalive(view), connectivity(view), sameModel(view), compatibleVersion(view)] : [];
}

/** The worst of the checks: NotReady, then Unknown, then Upgrading. */
export function haStatus(checks: readonly Check[]): Check["status"] {
  const order = ["NotReady", "Unknown", "Upgrading"] as const;
  return order.find((status) => checks.some((check) => check.status === status)) ?? "Ready";
}

const ready = (name: Check["name"]): Check => ({ name, status: "Ready" });

function keepalive({ sockets }: SiteView): Check {
  const name = "Keepalive";
  const silent = sockets.filter(({ report, connected }) => !connected || report?.ha === undefined);
  if (silent.length > 0)
    return {
      name,
      status: "Unknown",
      message: `${named(silent)} ${has(silent)} not said whether ${silent.length === 1 ? "it hears" : "they hear"} the other`,
    };
  const deaf = sockets.filter(({ report }) => !report!.ha!.keepalive);
  if (deaf.length > 0) {
    return {
      name,
      status: "NotReady",
      reason: "KeepaliveLost",
      message: `${named(deaf)} ${deaf.length === 1 ? "does" : "do"} not hear the other; look at the link between them`,
    };
  }
  if (sockets.some(({ state }) => state === "Unknown")) {
    return { name, status: "Unknown", reason: "StateUnknown", message: "the Sockets do not agree which of them is active" };
  }
  return ready(name);
}

function connectivity({ sockets }: SiteView): Check {
  const name = "Connectivity";
  const gone = sockets.filter(({ connected }) => !connected);
  if (gone.length === 0) return ready(name);
  return {
    name,
    status: "NotReady",
    reason: "PartnerNotConnected",
    message: `${named(gone)} ${gone.length === 1 ? "is" : "are"} not connected`,
  };
}

function sameModel({ sockets }: SiteView): Check {
  const name = "SameModel";
  const [first, second] = sockets;
  if (first?.model === undefined || second?.model === undefined)
    return { name, status: "Unknown", message: "a Socket has not said its model" };
  if (first.model === second.model) return ready(name);
  return {
    name,
    status: "NotReady",
    reason: "ModelMismatch",
    message: `${first.serial}: ${first.model}, ${second.serial}: ${second.model}`,
  };
}

function compatibleVersion({ sockets, upgrade }: SiteView): Check {
  const name = "CompatibleVersion";
  if (sockets.some(({ version }) => version === undefined))
    return { name, status: "Unknown", message: "a Socket has not said what it runs" };
  const mixed = higherAndLower(sockets);
  if (mixed === undefined) return ready(name);
  const message = `${mixed.lower.serial} runs ${mixed.lower.version!.text}, ${mixed.higher.serial} ${mixed.higher.version!.text}`;
  // In its own window, while a step of ours runs or can still start: then the other Socket follows, or the window closes.
  if (hasBegun(upgrade)) return { name, status: "Upgrading", reason: "Upgrading", message };
  return { name, status: "NotReady", reason: "IncompatibleMajorVersions", message };
}

const named = (sockets: readonly { readonly serial: string }[]): string => sockets.map(({ serial }) => serial).join(" and ");
