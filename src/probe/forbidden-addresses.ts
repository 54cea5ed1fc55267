import { BlockList, isIP } from "node:net";

/** What is no machine's or pod's that anybody may ask: this-host, link-local, many at once, and where clouds hand out credentials. */
const FORBIDDEN = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  // Link-local; 169.254.169.254 is where most clouds answer with the credentials of the machine that asks.
  ["169.254.0.0", 16],
  // The same of clouds that have it elsewhere.
  ["100.100.100.200", 32],
  ["168.63.129.16", 32],
  ["224.0.0.0", 4],
  ["255.255.255.255", 32],
] as const)
  FORBIDDEN.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::", 128],
  ["fe80::", 10],
  ["fd00:ec2::254", 128],
  ["fd20:ce::254", 128],
  ["ff00::", 8],
  // The same IPv4 networks behind a translator (NAT64).
  ["64:ff9b::a9fe:0", 112],
] as const)
  FORBIDDEN.addSubnet(network, prefix, "ipv6");

/**
 * Is this an address that a check, a drain or a query must never reach? Addresses of nodes and pods are reported by kubelets, and names
 * of servers resolve to what somebody else says: one that was taken over could point the operator at its own cloud's credentials.
 * Loopback is let through: on it nobody but the operator's own pod answers. IPv4 inside IPv6 counts as IPv4.
 */
export const isForbidden = (address: string): boolean => {
  const [bare = ""] = address.split("%");
  const family = isIP(bare);
  return family !== 0 && FORBIDDEN.check(bare, family === 4 ? "ipv4" : "ipv6");
};

/** Why nothing was asked there, in words for the one who reads the check's evidence. */
export const forbiddenText = (host: string): string =>
  `${host} was not asked: it is link-local or a cloud's metadata, and neither a node nor a pod nor a Prometheus has such an address`;
