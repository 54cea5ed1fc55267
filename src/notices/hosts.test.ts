import { describe, expect, it } from "vitest";
import { isPublic } from "./addresses.ts";
import { readAddress } from "./hosts.ts";

const allowed = { hosts: ["hooks.acme.example", "*.example.org", "93.184.215.14"], privateHosts: ["10.0.0.5", "hooks.internal", "::1"] };
const problemOf = (url: string): string | undefined => {
  const read = readAddress(url, allowed, "acme");
  return "problem" in read ? read.problem : undefined;
};

describe("the address of a channel", () => {
  it.each([
    "https://hooks.acme.example/rollward?key=1",
    "https://HOOKS.acme.example:8443/",
    "https://hooks.acme.example./",
    "https://a.example.org/",
    "https://a.b.example.org/",
    "https://93.184.215.14/",
    "https://10.0.0.5/",
    "https://[::1]:9443/",
  ])("%s may be called", (url) => expect(problemOf(url)).toBeUndefined());

  it.each([
    [
      "https://evil.example/",
      "the provider allows no notices to evil.example; ask for it (setting --notice-hosts), or write another address",
    ],
    ["https://example.org/", "the provider allows no notices to example.org;"],
    ["https://notexample.org/", "the provider allows no notices to notexample.org;"],
    ["https://hooks.acme.example.evil.example/", "the provider allows no notices to hooks.acme.example.evil.example;"],
    ["https://a.hooks.internal/", "the provider allows no notices to a.hooks.internal;"],
    // Other ways to write 127.0.0.1 and 10.0.0.6.
    ["https://2130706433/", "the provider allows no notices to 127.0.0.1;"],
    ["https://0x0a000006/", "the provider allows no notices to 10.0.0.6;"],
    ["http://hooks.acme.example/", "notices go over https, not http; write https://"],
    ["file:///etc/passwd", "notices go over https, not file; write https://"],
    ["https://me:secret@hooks.acme.example/", "it holds a user name; leave that out"],
    ["hooks.acme.example", "it is no address; write for example https://hooks.acme.example/rollward"],
  ])("%s may not, and the sentence says why without the path", (url, problem) => expect(problemOf(url)).toContain(problem));
});

describe("a host inside the provider's own network that is written for one account", () => {
  const bound = { hosts: ["*.example.org"], privateHosts: ["acme=hooks.internal", "acme=a.example.org", "acme=10.0.0.5", "zeta=10.0.0.5"] };
  const read = (url: string, account: string) => readAddress(url, bound, account);

  it("[I15] is nobody else's, and who asks is told no more than of any other host", () => {
    expect(read("https://hooks.internal/", "acme")).toMatchObject({ host: "hooks.internal", mayBePrivate: true });
    expect(read("https://hooks.internal/", "zeta")).toEqual({
      problem: "the provider allows no notices to hooks.internal; ask for it (setting --notice-hosts), or write another address",
    });
    for (const account of ["acme", "zeta"]) expect(read("https://10.0.0.5/", account)).toMatchObject({ mayBePrivate: true });
    expect(read("https://10.0.0.5/", "third")).toHaveProperty("problem");
    expect(read("https://a.example.org/", "zeta"), "a name that all may have has to be public for the others").toMatchObject({
      mayBePrivate: false,
    });
  });
});

it.each([
  ["93.184.215.14", true],
  ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", true],
  ["0.0.0.0", false],
  ["10.1.2.3", false],
  ["100.64.0.1", false],
  ["127.0.0.1", false],
  ["169.254.169.254", false],
  ["172.16.0.1", false],
  ["172.32.0.1", true],
  ["192.168.0.1", false],
  ["198.18.0.1", false],
  ["224.0.0.1", false],
  ["255.255.255.255", false],
  ["::", false],
  ["::1", false],
  ["::ffff:10.0.0.1", false],
  ["::ffff:93.184.215.14", false],
  ["64:ff9b::a00:1", false],
  ["fe80::1", false],
  ["fd00::1", false],
  ["ff02::1", false],
  ["2001:db8::1", false],
  ["2002:a00:1::1", false],
  ["not an address", false],
])("%s is public: %s", (address, answer) => expect(isPublic(address)).toBe(answer));
