import { LOG_LEVELS } from "./telemetry/log.ts";

/** One setting as the command line and the documentation show it. */
export interface SettingDefinition {
  readonly flag: string;
  readonly environment: string;
  readonly description: string;
  readonly default?: string;
}

/** Every setting, by the name that commander gives its flag. The port is that of metric exporters, beside Prometheus' own 9090. */
export const SETTINGS = {
  namespace: { flag: "--namespace <name>", environment: "ROLLWARD_NAMESPACE", description: "the fleet namespace", default: "fleet" },
  kubeconfig: {
    flag: "--kubeconfig <path>",
    environment: "KUBECONFIG",
    description: "a kubeconfig (default: ~/.kube/config, else the pod's service account)",
  },
  metricsAddress: {
    flag: "--metrics-address <host:port>",
    environment: "ROLLWARD_METRICS_ADDRESS",
    description: "where /metrics, /livez and /readyz are served",
    default: ":9464",
  },
  leaderElection: {
    flag: "--leader-election <true|false>",
    environment: "ROLLWARD_LEADER_ELECTION",
    description: "false only where there is one replica for certain",
    default: "true",
  },
  leaseDuration: {
    flag: "--lease-duration <duration>",
    environment: "ROLLWARD_LEASE_DURATION",
    description: "how long others wait before they take over, at most 10m",
    default: "15s",
  },
  renewDeadline: {
    flag: "--renew-deadline <duration>",
    environment: "ROLLWARD_RENEW_DEADLINE",
    description: "how long a leader acts after its last renewal",
    default: "10s",
  },
  retryPeriod: {
    flag: "--retry-period <duration>",
    environment: "ROLLWARD_RETRY_PERIOD",
    description: "pause between two tries for the lease",
    default: "2s",
  },
  identity: {
    flag: "--identity <name>",
    environment: "ROLLWARD_IDENTITY",
    description: "this candidate's name (default: host name and chance)",
  },
  clockFile: {
    flag: "--clock-file <path>",
    environment: "ROLLWARD_CLOCK_FILE",
    description:
      'for demonstrations, a file with the pace of calendar time: {"calendar": M, "real": M, "rate": N}, at the real instant the calendar showed that one, and since then it runs N times as fast; M in milliseconds since 1970',
  },
  logLevel: { flag: "--log-level <level>", environment: "ROLLWARD_LOG_LEVEL", description: LOG_LEVELS.join(", "), default: "info" },
  prometheusUrl: {
    flag: "--prometheus-url <url>",
    environment: "ROLLWARD_PROMETHEUS_URL",
    description: "the Prometheus that checks ask when a PoP names none",
  },
  inventory: {
    flag: "--inventory <url>",
    environment: "ROLLWARD_INVENTORY",
    description: "what is known of devices: sqlite:PATH with one replica, postgresql://… with more",
  },
  gatewayAddress: {
    flag: "--gateway-address <host:port>",
    environment: "ROLLWARD_GATEWAY_ADDRESS",
    description: "where devices poll; left out: no gateway",
  },
  gatewayOnly: {
    flag: "--gateway-only <true|false>",
    environment: "ROLLWARD_GATEWAY_ONLY",
    description: "true: a gateway without controllers, beside others",
    default: "false",
  },
  gatewayUrl: {
    flag: "--gateway-url <url>",
    environment: "ROLLWARD_GATEWAY_URL",
    description: "how devices reach the gateway, for its links (default: as they call it)",
  },
  gatewayCertificate: {
    flag: "--gateway-certificate <path>",
    environment: "ROLLWARD_GATEWAY_CERTIFICATE",
    description: "the gateway's certificate, PEM; read again when it changes",
  },
  gatewayKey: {
    flag: "--gateway-key <path>",
    environment: "ROLLWARD_GATEWAY_KEY",
    description: "the key of that certificate",
  },
  gatewayClientAuthorities: {
    flag: "--gateway-client-authorities <folder>",
    environment: "ROLLWARD_GATEWAY_CLIENT_AUTHORITIES",
    description: "<account>.pem in it may issue certificates for the account's devices",
  },
  artifacts: {
    flag: "--artifacts <folder>",
    environment: "ROLLWARD_ARTIFACTS",
    description: "artifacts that the gateway serves itself",
  },
  clientAppId: {
    flag: "--client-app-id <id>",
    environment: "ROLLWARD_CLIENT_APP_ID",
    description: "the application that Clients name; with .windows, .macos or .linux behind it where they do not name their platform",
    default: "rollward.client",
  },
  clientsPerAccount: {
    flag: "--clients-per-account <number>",
    environment: "ROLLWARD_CLIENTS_PER_ACCOUNT",
    description: "so many Clients of one account are kept; others are offered nothing",
    default: "200000",
  },
  pollInterval: {
    flag: "--poll-interval <duration>",
    environment: "ROLLWARD_POLL_INTERVAL",
    description: "how often devices are to poll, at most 24h",
    default: "5m",
  },
  pollIntervalNear: {
    flag: "--poll-interval-near <duration>",
    environment: "ROLLWARD_POLL_INTERVAL_NEAR",
    description: "the same around their planned start",
    default: "10s",
  },
  noticeHosts: {
    flag: "--notice-hosts <names>",
    environment: "ROLLWARD_NOTICE_HOSTS",
    description: "hosts that accounts may have notices sent to, with commas between; *.example.org stands for all below it (default: none)",
  },
  noticePrivateHosts: {
    flag: "--notice-private-hosts <names>",
    environment: "ROLLWARD_NOTICE_PRIVATE_HOSTS",
    description: "the same inside the provider's own network: whole names or addresses, ACCOUNT=HOST for one account, HOST for all",
  },
  noticeKey: {
    flag: "--notice-key <path>",
    environment: "ROLLWARD_NOTICE_KEY",
    description: "a file with the key that notices are signed by, at least 32 characters; each account gets a secret made from it",
  },
} as const satisfies Readonly<Record<string, SettingDefinition>>;

export type SettingName = keyof typeof SETTINGS;
