import { expect, it } from "vitest";
import { readSettings } from "./settings.ts";

const problems = (flags: Record<string, unknown>, environment: Record<string, string> = {}): readonly string[] => {
  const read = readSettings(flags, environment);
  return read.ok ? [] : read.problems;
};

it("without anything given: namespace fleet, port 9464, election on with 15 s, 10 s and 2 s", () => {
  expect(readSettings({}, {})).toEqual({
    ok: true,
    settings: {
      namespace: "fleet",
      metricsAddress: { port: 9464 },
      logLevel: "info",
      leaderElection: { enabled: true, leaseMilliseconds: 15_000, renewDeadlineMilliseconds: 10_000, retryMilliseconds: 2000 },
    },
  });
});

it("a flag wins over the environment, and an empty variable counts as not set", () => {
  const read = readSettings(
    { namespace: "edge", metricsAddress: "[::1]:0", prometheusUrl: "https://prometheus" },
    { ROLLWARD_NAMESPACE: "other", ROLLWARD_LOG_LEVEL: "debug", ROLLWARD_IDENTITY: "", KUBECONFIG: "/kube" },
  );
  expect(read).toMatchObject({
    ok: true,
    settings: { namespace: "edge", logLevel: "debug", kubeconfig: "/kube", metricsAddress: { host: "::1", port: 0 } },
  });
  expect(read.ok && read.settings.identity).toBeUndefined();
});

it.each([
  [
    { namespace: "My Fleet" },
    '--namespace is "My Fleet", which is no namespace; write at most 63 lower-case letters, digits and hyphens, for example fleet',
  ],
  [
    { metricsAddress: "9464" },
    '--metrics-address is "9464", which is no address; write host:port or :port, for example :9464 or 127.0.0.1:9464',
  ],
  [
    { metricsAddress: ":99999" },
    '--metrics-address is ":99999", which is no address; write host:port or :port, for example :9464 or 127.0.0.1:9464',
  ],
  [{ leaderElection: "maybe" }, '--leader-election is "maybe", write true or false'],
  [
    { leaseDuration: "fifteen" },
    '--lease-duration is "fifteen", which is no duration; write hours, minutes and seconds as in 1h30m or 48h',
  ],
  [
    { leaseDuration: "10m1s" },
    '--lease-duration is "10m1s", which is so long that nobody would lead after a crash; write at most 10m, for example 15s',
  ],
  [
    { pollInterval: "9000h" },
    '--poll-interval is "9000h", which is so long that devices would hear of nothing; write at most 24h, for example 5m',
  ],
  [{ logLevel: "verbose" }, '--log-level is "verbose", write one of debug, info, warn, error, silent'],
  [
    { prometheusUrl: "prometheus:9090" },
    '--prometheus-url is "prometheus:9090", which is no http or https address; write for example http://prometheus.monitoring:9090',
  ],
])("%j is refused with what to write instead", (flags, sentence) => {
  expect(problems(flags)).toEqual([sentence]);
});

it("takes a lease of 10 minutes and a poll once a day, the longest of both", () => {
  expect(readSettings({ leaseDuration: "10m", pollInterval: "24h" }, {})).toMatchObject({
    ok: true,
    settings: { leaderElection: { leaseMilliseconds: 600_000 } },
  });
});

it("names the variable when that is where the wrong value stands, and all wrong ones at once", () => {
  expect(problems({}, { ROLLWARD_LOG_LEVEL: "loud", ROLLWARD_LEADER_ELECTION: "1" }).map((one) => one.split(" ")[0])).toEqual([
    "ROLLWARD_LEADER_ELECTION",
    "ROLLWARD_LOG_LEVEL",
  ]);
});

it("a leader may not act as long as others wait", () => {
  expect(problems({ renewDeadline: "15s" })).toEqual([
    "--retry-period (2s) has to be shorter than --renew-deadline (15s), and that shorter than --lease-duration (15s)",
  ]);
});

it("the gateway needs an inventory; its intervals and files have to fit together", () => {
  const CLIENTS = { appId: "rollward.client", perAccount: 200_000 };
  const gateway = { gatewayAddress: ":8443", inventory: "sqlite:/var/lib/rollward/inventory.db" };
  expect(readSettings(gateway, {})).toMatchObject({
    ok: true,
    settings: { gateway: { address: { port: 8443 }, alone: false, hints: { ordinary: 300_000, near: 10_000 }, clients: CLIENTS } },
  });
  const sentences = [
    { gatewayAddress: ":8443" },
    { gatewayOnly: "true" },
    { ...gateway, inventory: "mysql://x" },
    { ...gateway, gatewayKey: "key.pem" },
    { ...gateway, gatewayClientAuthorities: "folder" },
    { ...gateway, pollInterval: "5s" },
    { pollInterval: "1ms" },
    { ...gateway, clientAppId: "our client" },
    { ...gateway, clientsPerAccount: "0" },
  ].flatMap((flags) => problems(flags));
  expect(sentences.map((sentence) => sentence.split(" ").slice(0, 1)[0])).toEqual([
    "--gateway-address",
    "--gateway-only",
    "--inventory",
    "--gateway-certificate",
    "--gateway-client-authorities",
    "--poll-interval",
    "--poll-interval",
    "--client-app-id",
    "--clients-per-account",
  ]);
});

it("the hosts of notices: a list with suffixes, another of private ones, and a key that goes with them", () => {
  const read = readSettings(
    {
      noticeHosts: "Hooks.acme.example, *.example.org",
      noticePrivateHosts: "::1,10.0.0.5,Acme_1=Hooks.internal",
      noticeKey: "/etc/rollward/notice-key",
    },
    {},
  );
  expect(read.ok && read.settings.notices).toEqual({
    hosts: ["hooks.acme.example", "*.example.org"],
    privateHosts: ["::1", "10.0.0.5", "Acme_1=hooks.internal"],
    keyFile: "/etc/rollward/notice-key",
  });
});

it.each([
  [
    { noticeHosts: "*.com" },
    '--notice-hosts is "*.com", of which "*.com" is no host; write for example hooks.acme.example or *.acme.example, with commas between',
  ],
  [
    { noticeHosts: "https://hooks.acme.example/" },
    '--notice-hosts is "https://hooks.acme.example/", of which "https://hooks.acme.example/" is no host; write for example hooks.acme.example or *.acme.example, with commas between',
  ],
  [
    { noticePrivateHosts: "*.internal.example" },
    '--notice-private-hosts is "*.internal.example", of which "*.internal.example" is no host; write for example acme=hooks.internal.example, or 10.0.0.5 for all accounts, with commas between',
  ],
  [
    { noticeKey: "/key" },
    "--notice-key is set, and there are no --notice-hosts, so nothing would ever be signed; write the hosts, or leave the key out",
  ],
])("of notices %o is refused with a sentence", (flags, sentence) => {
  expect(problems(flags)).toEqual([sentence]);
});

it("the inventory's address is not repeated where it is refused: it may hold a password, or be nothing else", () => {
  const password = "hunter2-hunter2";
  for (const inventory of [`mysql://operator:${password}@host/database`, `postgresql//operator:${password}@host`, password]) {
    const [sentence = "", ...more] = problems({ inventory });
    expect(more).toEqual([]);
    expect(sentence).toMatch(/^--inventory names no inventory; write sqlite:\/path/);
    expect(sentence).not.toContain(password);
  }
});
