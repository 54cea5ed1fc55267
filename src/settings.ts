import { isIPv6 } from "node:net";
import { z } from "zod";
import { durationProblem, parseDuration } from "./core/time/duration.ts";
import { type SettingDefinition, SETTINGS, type SettingName } from "./setting-definitions.ts";
import { LOG_LEVELS } from "./telemetry/log.ts";

/** What the operator is told from outside, read once at the start. Flags win over the environment, the environment over the default. */
export interface Settings {
  /** The fleet namespace: Fleet, PoPClusters, windows, leases and records live there. */
  readonly namespace: string;
  /** Path of a kubeconfig; absent: ~/.kube/config where there is one, else the service account of the pod. */
  readonly kubeconfig?: string;
  /** Where /metrics, /livez and /readyz are served. */
  readonly metricsAddress: { readonly host?: string; readonly port: number };
  readonly leaderElection: {
    readonly enabled: boolean;
    readonly leaseMilliseconds: number;
    readonly renewDeadlineMilliseconds: number;
    readonly retryMilliseconds: number;
  };
  /** Unlike every other candidate's; absent: made from host name and chance. */
  readonly identity?: string;
  /** A file that sets the pace of calendar time (demo, tests); absent: the machine's clock. */
  readonly clockFile?: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** The Prometheus that checks ask when a PoP names none. */
  readonly prometheusUrl?: string;
  /** What is known of devices: `sqlite:PATH` or `postgresql://…`; absent: no Sockets are served. */
  readonly inventory?: string;
  /** Absent: no gateway in this process. */
  readonly gateway?: GatewaySettings;
  /** Absent: notices stand in status alone. */
  readonly notices?: NoticeSettings;
}

/** To whom accounts may have their notices sent. */
export interface NoticeSettings {
  /** Names, or `*.suffix`. */
  readonly hosts: readonly string[];
  /** Whole names or addresses, which may be of the provider's own network. */
  readonly privateHosts: readonly string[];
  /** Path of the key from which the secrets of accounts are made. */
  readonly keyFile?: string;
}

/** What devices call. */
export interface GatewaySettings {
  readonly address: { readonly host?: string; readonly port: number };
  /** No controllers in this process: one of several gateways. */
  readonly alone: boolean;
  /** As devices reach it; absent: as each request says. */
  readonly publicUrl?: string;
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthorities?: string };
  /** The folder of artifacts that it serves itself. */
  readonly artifacts?: string;
  /** How Clients name themselves, and how many devices of one account are kept. */
  readonly clients: { readonly appId: string; readonly perAccount: number };
  /** Milliseconds of the devices' own clocks. */
  readonly hints: { readonly ordinary: number; readonly near: number };
}

/** A text setting whose reader answers the value, or a problem that is shown after the setting's name and value. */
const read = <Value>(reader: (text: string) => { value: Value } | { problem: string }) =>
  z.string().transform((text, context): Value => {
    const found = reader(text.trim());
    if ("value" in found) return found.value;
    context.addIssue({ code: "custom", message: `is ${JSON.stringify(text)}, ${found.problem}` });
    return z.NEVER;
  });

const namespaceName = read((text) =>
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)
    ? { value: text }
    : { problem: "which is no namespace; write at most 63 lower-case letters, digits and hyphens, for example fleet" },
);

const address = read((text) => {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) return { problem: "which is no address; write host:port or :port, for example :9464 or 127.0.0.1:9464" };
  const host = match[1] ?? match[2];
  return { value: host ? { host, port } : { port } };
});

const yesOrNo = read((text) => (text === "true" || text === "false" ? { value: text === "true" } : { problem: "write true or false" }));

const duration = read((text) => {
  const value = parseDuration(text);
  if (value !== undefined && value > 0) return { value };
  const problem = durationProblem("", text);
  return { problem: problem?.slice(problem.indexOf("which")) ?? "which is no time at all; write for example 10s" };
});

/** A duration that has bounds: `outside` says what is wrong with one beyond them. */
const durationWhere = (outside: (milliseconds: number) => string | undefined) =>
  read((text) => {
    const read = duration.safeParse(text);
    if (!read.success)
      return { problem: durationProblem("", text)?.replace(/^.*which/, "which") ?? "which is no time at all; write for example 10s" };
    const problem = outside(read.data);
    return problem === undefined ? { value: read.data } : { problem };
  });

/** As long as this, and no longer, a crash may leave the fleet without a leader. */
const LONGEST_LEASE = 10 * 60_000;

const leaseTime = durationWhere((milliseconds) =>
  milliseconds > LONGEST_LEASE ? "which is so long that nobody would lead after a crash; write at most 10m, for example 15s" : undefined,
);

/** The protocol of devices knows no less than a second. A device that is to ask less than once a day hears of no stop in time. */
const SHORTEST_POLL = 1_000;
const LONGEST_POLL = 24 * 3_600_000;

const pollEvery = durationWhere((milliseconds) => {
  if (milliseconds < SHORTEST_POLL) return "which is less than devices can be told; write at least 1s";
  if (milliseconds > LONGEST_POLL) return "which is so long that devices would hear of nothing; write at most 24h, for example 5m";
  return undefined;
});

const logLevel = read((text) => {
  const value = LOG_LEVELS.find((level) => level === text);
  return value === undefined ? { problem: `write one of ${LOG_LEVELS.join(", ")}` } : { value };
});

const httpUrl = read((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return { value: text };
  return { problem: "which is no http or https address; write for example http://prometheus.monitoring:9090" };
});

/** Not shown where it is refused: what is no address may still hold a password. */
const inventoryUrl = z
  .string()
  .trim()
  .regex(/^(sqlite:.|postgres(ql)?:\/\/.)/, "names no inventory; write sqlite:/path/to/inventory.db, or postgresql://user@host/database");

const identityName = read((text) =>
  /^[\w.-]{1,128}$/.test(text) ? { value: text } : { problem: "write at most 128 letters, digits, dots, hyphens and underscores" },
);

const appId = read((text) =>
  /^[\w.{}-]{1,100}$/.test(text)
    ? { value: text }
    : { problem: "which is no application; write at most 100 letters, digits, dots, hyphens and braces, for example rollward.client" },
);

const deviceCount = read((text) => {
  const value = /^[0-9]{1,8}$/.test(text) ? Number(text) : 0;
  return value > 0 ? { value } : { problem: "write a number of devices, for example 200000" };
});

const HOST_NAME = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUFFIX = /^\*(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?){2,}$/;

/** An account as in its label, and a host. */
const OF_ACCOUNT = /^((?:[0-9A-Za-z](?:[0-9A-Za-z._-]{0,61}[0-9A-Za-z])?=)?)(.*)$/;

const hostList = (suffixes: boolean) =>
  read((text) => {
    // Inside the own network a host is one account's, as ACCOUNT=HOST, or everybody's.
    const hosts = text.split(",").map((written) => {
      const [, whose = "", host = ""] = (suffixes ? /^()(.*)$/ : OF_ACCOUNT).exec(written.trim()) ?? [];
      return { whose, host: host.toLowerCase() };
    });
    const fits = (host: string): boolean => HOST_NAME.test(host) || (suffixes ? SUFFIX.test(host) : isIPv6(host));
    const wrong = hosts.find(({ host }) => !fits(host))?.host;
    if (wrong === undefined) return { value: hosts.map(({ whose, host }) => `${whose}${host}`) };
    const example = suffixes ? "hooks.acme.example or *.acme.example" : "acme=hooks.internal.example, or 10.0.0.5 for all accounts";
    return { problem: `of which ${JSON.stringify(wrong)} is no host; write for example ${example}, with commas between` };
  });

const schema = z.object({
  namespace: namespaceName,
  kubeconfig: z.string().optional(),
  metricsAddress: address,
  leaderElection: yesOrNo,
  leaseDuration: leaseTime,
  renewDeadline: duration,
  retryPeriod: duration,
  identity: identityName.optional(),
  clockFile: z.string().optional(),
  logLevel,
  prometheusUrl: httpUrl.optional(),
  inventory: inventoryUrl.optional(),
  gatewayAddress: address.optional(),
  gatewayOnly: yesOrNo,
  gatewayUrl: httpUrl.optional(),
  gatewayCertificate: z.string().optional(),
  gatewayKey: z.string().optional(),
  gatewayClientAuthorities: z.string().optional(),
  artifacts: z.string().optional(),
  clientAppId: appId,
  clientsPerAccount: deviceCount,
  pollInterval: pollEvery,
  pollIntervalNear: pollEvery,
  noticeHosts: hostList(true).optional(),
  noticePrivateHosts: hostList(false).optional(),
  noticeKey: z.string().optional(),
});

export type ReadSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads all settings at once; every wrong one gets a sentence that names where it was written and what to write instead. */
export function readSettings(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): ReadSettings {
  const names = Object.keys(SETTINGS) as SettingName[];
  const given = Object.fromEntries(names.map((name) => [name, source(name, flags, environment)]));
  const parsed = schema.safeParse(Object.fromEntries(names.map((name) => [name, given[name]?.text])));
  if (!parsed.success)
    return {
      ok: false,
      problems: parsed.error.issues.map((issue) => `${given[String(issue.path[0])]?.from ?? String(issue.path[0])} ${issue.message}`),
    };
  const { leaderElection, leaseDuration, renewDeadline, retryPeriod, kubeconfig, identity, clockFile, prometheusUrl, inventory } =
    parsed.data;
  const { namespace, metricsAddress, logLevel } = parsed.data;
  // A leader that acts as long as others wait would act beside its successor.
  if (renewDeadline >= leaseDuration || retryPeriod >= renewDeadline) {
    return {
      ok: false,
      problems: [
        `--retry-period (${retryPeriod / 1000}s) has to be shorter than --renew-deadline (${renewDeadline / 1000}s), and that shorter than --lease-duration (${leaseDuration / 1000}s)`,
      ],
    };
  }
  const gateway = gatewayOf(parsed.data);
  if (gateway !== undefined && "problem" in gateway) return { ok: false, problems: [gateway.problem] };
  const notices = noticesOf(parsed.data);
  if (notices !== undefined && "problem" in notices) return { ok: false, problems: [notices.problem] };
  const settings: Settings = {
    namespace,
    metricsAddress,
    logLevel,
    leaderElection: {
      enabled: leaderElection,
      leaseMilliseconds: leaseDuration,
      renewDeadlineMilliseconds: renewDeadline,
      retryMilliseconds: retryPeriod,
    },
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(identity === undefined ? {} : { identity }),
    ...(clockFile === undefined ? {} : { clockFile }),
    ...(prometheusUrl === undefined ? {} : { prometheusUrl }),
    ...(inventory === undefined ? {} : { inventory }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(notices === undefined ? {} : { notices }),
  };
  return { ok: true, settings };
}

/** The gateway's settings, or what of them does not fit together. */
function gatewayOf(parsed: z.infer<typeof schema>): GatewaySettings | { readonly problem: string } | undefined {
  const { gatewayAddress, gatewayOnly, gatewayUrl, gatewayCertificate: certificate, gatewayKey: key, inventory, artifacts } = parsed;
  const { gatewayClientAuthorities: clientAuthorities, pollInterval, pollIntervalNear, clientAppId, clientsPerAccount } = parsed;
  if (gatewayAddress === undefined)
    return gatewayOnly ? { problem: "--gateway-only is true, and there is no --gateway-address; write for example :8443" } : undefined;
  if (inventory === undefined)
    return { problem: "--gateway-address is set, and there is no --inventory; write for example sqlite:/var/lib/rollward/inventory.db" };
  if ((certificate === undefined) !== (key === undefined))
    return { problem: "--gateway-certificate and --gateway-key belong together; write both, or neither" };
  if (clientAuthorities !== undefined && certificate === undefined)
    return { problem: "--gateway-client-authorities needs TLS; write --gateway-certificate and --gateway-key too" };
  if (pollInterval < pollIntervalNear)
    return { problem: "--poll-interval is shorter than --poll-interval-near; write it at least as long" };
  return {
    address: gatewayAddress,
    alone: gatewayOnly,
    hints: { ordinary: pollInterval, near: pollIntervalNear },
    clients: { appId: clientAppId, perAccount: clientsPerAccount },
    ...(gatewayUrl === undefined ? {} : { publicUrl: gatewayUrl }),
    ...(artifacts === undefined ? {} : { artifacts }),
    ...(certificate === undefined || key === undefined
      ? {}
      : { tls: { certificate, key, ...(clientAuthorities === undefined ? {} : { clientAuthorities }) } }),
  };
}

/** To whom notices go, or what of it does not fit together. */
function noticesOf({
  noticeHosts,
  noticePrivateHosts,
  noticeKey,
}: z.infer<typeof schema>): NoticeSettings | { readonly problem: string } | undefined {
  if (noticeHosts === undefined && noticePrivateHosts === undefined)
    return noticeKey === undefined
      ? undefined
      : {
          problem:
            "--notice-key is set, and there are no --notice-hosts, so nothing would ever be signed; write the hosts, or leave the key out",
        };
  return {
    hosts: noticeHosts ?? [],
    privateHosts: noticePrivateHosts ?? [],
    ...(noticeKey === undefined ? {} : { keyFile: noticeKey }),
  };
}

/** The text of a setting and where it came from. An empty variable counts as not set: that is how charts leave one out. */
function source(name: SettingName, flags: Readonly<Record<string, unknown>>, environment: Readonly<Record<string, string | undefined>>) {
  const definition: SettingDefinition = SETTINGS[name];
  const flag = flags[name];
  if (typeof flag === "string" || typeof flag === "boolean") return { text: String(flag), from: definition.flag.split(" ", 1)[0]! };
  const variable = environment[definition.environment];
  if (variable) return { text: variable, from: definition.environment };
  return definition.default === undefined ? undefined : { text: definition.default, from: definition.flag.split(" ", 1)[0]! };
}
