import { BlockList, isIPv4, isIPv6 } from "node:net";

const NOT_PUBLIC = new BlockList();
/** What no receiver on the internet has: this host, private, shared, link-local, documentation, benchmarks, multicast, reserved. */
const IPV4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];
for (const [network, prefix] of IPV4) NOT_PUBLIC.addSubnet(network, prefix, "ipv4");

/** Of IPv6 only 2000::/3 is given to anybody; in it these hold an IPv4 address, or are no receiver's. */
const GLOBAL = new BlockList();
GLOBAL.addSubnet("2000::", 3, "ipv6");
const IPV6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];
for (const [network, prefix] of IPV6) NOT_PUBLIC.addSubnet(network, prefix, "ipv6");

/** An address on the internet: not this machine, not the network that we stand in, not many at once. */
export function isPublic(address: string): boolean {
  if (isIPv4(address)) return !NOT_PUBLIC.check(address, "ipv4");
  return isIPv6(address) && GLOBAL.check(address, "ipv6") && !NOT_PUBLIC.check(address, "ipv6");
}
