import { COMPUTED } from "./source-file.ts";

/**
 * Who may rely on whom, as data. Paths are below src/; a path that ends in `/` is a folder, any other a file. The first layer whose
 * `covers` names a file is its layer, so the narrower ones stand first. docs/decisions/0013 says why each edge is there.
 */
export interface Layer {
  readonly name: string;
  readonly covers: readonly string[];
  /** What it may import of ours, beside itself. */
  readonly imports: readonly string[];
  /** What it may import with `import type` only. */
  readonly types?: readonly string[];
  /** What it may load with `import()` only: where a command needs it, not where it is declared. */
  readonly loads?: readonly string[];
  /** Packages; `node:*` stands for everything of Node. */
  readonly packages: readonly string[];
  /** The rule as a sentence, shown when it is broken. */
  readonly rule: string;
}

const SHARED_CORE = [
  "core/decision.ts",
  "core/text.ts",
  "core/closest.ts",
  "core/canonical-json.ts",
  "core/once-per.ts",
  "core/conditions.ts",
  "core/later-fields.ts",
  "core/written-holds.ts",
];
const MECHANICS = [...SHARED_CORE, "core/time/", "core/window/", "core/health/", "core/rollout/"];
/** One folder a kind: they know the shared core, never each other. */
const KINDS = ["fleet", "maintenance-window", "pop-cluster", "pop-rollout", "tunnel-site"];
/** Kinds that share what Sockets are. */
const SOCKET_KINDS = ["socket-rollout", "socket-site"];
/** The interfaces between the controllers and the world. */
const PORTS = ["control/ports.ts", "control/sites.ts", "control/inventory.ts", "control/notices.ts"];

export const LAYERS: readonly Layer[] = [
  {
    name: "api",
    covers: ["api/"],
    imports: [],
    packages: ["zod", "semver"],
    rule: "src/api is the vocabulary: it imports zod and semver, and nothing of ours",
  },
  {
    name: "core/time",
    covers: ["core/time/"],
    imports: ["core/closest.ts"],
    types: ["core/decision.ts"],
    packages: ["luxon"],
    rule: "src/core/time is the only place that knows a calendar: it imports luxon, and of ours the wording of near misses",
  },
  {
    name: "shared core",
    covers: SHARED_CORE,
    imports: ["api/", ...SHARED_CORE, "core/time/"],
    packages: [],
    rule: "the files directly in src/core serve every kind: they import api and core/time",
  },
  {
    name: "core/window",
    covers: ["core/window/"],
    imports: ["api/", ...SHARED_CORE, "core/time/"],
    packages: [],
    rule: "src/core/window imports api and core/time, and stands beside core/health",
  },
  {
    name: "core/health",
    covers: ["core/health/"],
    imports: ["api/", ...SHARED_CORE, "core/time/"],
    packages: [],
    rule: "src/core/health imports api and core/time, and stands beside core/window",
  },
  {
    name: "core/rollout",
    covers: ["core/rollout/"],
    imports: ["api/", ...SHARED_CORE, "core/time/", "core/window/", "core/health/"],
    packages: ["node:crypto"],
    rule: "src/core/rollout holds mechanics that kinds share: it imports api, core/{time,window,health}, and node:crypto for hashes",
  },
  ...KINDS.map((kind) => ({
    name: `core/${kind}`,
    covers: [`core/${kind}/`],
    imports: ["api/", ...MECHANICS],
    packages: ["node:crypto"],
    rule: `src/core/${kind} imports api and the shared core, never another kind`,
  })),
  {
    name: "core/socket",
    covers: ["core/socket/"],
    imports: ["api/", ...MECHANICS],
    packages: ["node:crypto"],
    rule: "src/core/socket holds what the kinds of Sockets share, and the command row: it imports api and the shared core, never a kind",
  },
  ...SOCKET_KINDS.map((kind) => ({
    name: `core/${kind}`,
    covers: [`core/${kind}/`],
    imports: ["api/", ...MECHANICS, "core/socket/"],
    packages: ["node:crypto"],
    rule: `src/core/${kind} imports api, the shared core and core/socket, never another kind`,
  })),
  {
    name: "core/account-policy",
    covers: ["core/account-policy/"],
    imports: ["api/", ...MECHANICS, "core/socket/", "core/client/"],
    packages: ["node:crypto"],
    rule: "src/core/account-policy tells an account of its Sockets and Clients: it imports api, the shared core, core/socket and core/client",
  },
  {
    name: "core/client",
    covers: ["core/client/"],
    imports: ["api/", ...MECHANICS],
    packages: [],
    rule: "src/core/client answers a Client's check-in, and holds what its kinds share: it imports api and the shared core, never a kind",
  },
  {
    name: "core/client-rollout",
    covers: ["core/client-rollout/"],
    imports: ["api/", ...MECHANICS, "core/client/"],
    packages: ["node:crypto"],
    rule: "src/core/client-rollout imports api, the shared core and core/client, never another kind",
  },
  {
    name: "core/explain of a Client",
    covers: ["core/explain/client.ts", "core/explain/client.test.ts", "core/explain/client-of-account.ts"],
    imports: ["api/", ...MECHANICS, "core/client/", "core/explain/"],
    packages: [],
    rule: "nothing of a Client stands in a status: src/core/explain/client.ts asks the pure answer of core/client, as its check-in would",
  },
  {
    name: "core/explain",
    covers: ["core/explain/"],
    imports: ["api/", ...MECHANICS],
    packages: [],
    rule: "src/core/explain renders what stands in status: it imports api and the shared core, and recomputes no kind's decision",
  },
  {
    name: "runtime",
    covers: ["runtime/"],
    imports: [],
    packages: [],
    rule: "src/runtime is what any operator needs: it imports nothing of ours and no package",
  },
  {
    name: "control",
    covers: ["control/"],
    imports: ["runtime/", "api/", "core/"],
    packages: ["node:*"],
    rule: "src/control carries decisions out: it imports runtime, api and core, and reaches the world through its own ports",
  },
  {
    name: "kubernetes",
    covers: ["kubernetes/"],
    imports: ["runtime/", "api/", ...PORTS],
    types: ["core/decision.ts"],
    packages: ["node:*", "@kubernetes/client-node", "undici", "yaml"],
    rule: "src/kubernetes is an adapter: it imports runtime, api and the ports of control, and knows no decision",
  },
  {
    name: "probe",
    covers: ["probe/"],
    imports: ["runtime/", "api/", ...PORTS],
    types: ["core/decision.ts"],
    packages: ["node:*", "undici"],
    rule: "src/probe is an adapter: it imports runtime, api and the ports of control, and judges nothing",
  },
  {
    name: "telemetry",
    covers: ["telemetry/"],
    imports: ["runtime/", "api/", ...PORTS],
    types: ["core/decision.ts"],
    packages: ["node:*", "pino", "prom-client"],
    rule: "src/telemetry is an adapter: it imports runtime, api and the ports of control, and derives everything from decisions",
  },
  {
    name: "inventory",
    covers: ["inventory/"],
    imports: ["runtime/", "api/", ...PORTS, "control/client-inventory.ts", "core/socket/", "core/client/"],
    types: ["core/decision.ts", "core/socket-site/observation.ts"],
    packages: ["node:*", "kysely", "pg"],
    rule: "src/inventory is an adapter: it imports runtime, api, the ports of control, the command row of core/socket and what a report changes of core/client, and decides nothing",
  },
  {
    name: "gateway/clients",
    covers: ["gateway/clients/"],
    imports: [
      "gateway/",
      "omaha/",
      "runtime/",
      "api/",
      ...PORTS,
      "control/client-inventory.ts",
      "control/clients/check-in.ts",
      "control/device-credentials.ts",
      "control/kinds.ts",
      "core/client/",
    ],
    types: ["core/decision.ts"],
    packages: ["node:*"],
    rule: "src/gateway/clients brings a Client's check-in over the wire: it imports the gateway, omaha, and of control and core what answers it",
  },
  {
    name: "gateway",
    covers: ["gateway/"],
    imports: [
      "runtime/",
      "api/",
      ...PORTS,
      "control/device-credentials.ts",
      "core/socket/answer.ts",
      "core/socket/device-words.ts",
      "core/socket/surroundings.ts",
      "gateway/clients/",
    ],
    types: ["core/decision.ts", "core/socket/command.ts"],
    packages: ["node:*"],
    rule: "src/gateway answers devices: it imports runtime, api, the ports of control, and of core what is answered and how devices write",
  },
  {
    name: "omaha",
    covers: ["omaha/"],
    imports: ["core/text.ts"],
    packages: ["saxes"],
    rule: "src/omaha reads and writes the protocol that Clients speak: it imports the stripping of text and an XML parser, and decides nothing",
  },
  {
    name: "notices",
    covers: ["notices/"],
    imports: ["runtime/", "api/", ...PORTS, "core/text.ts", "core/time/"],
    types: ["core/decision.ts", "core/socket/notice.ts"],
    packages: ["node:*"],
    rule: "src/notices is an adapter: it imports runtime, api, the ports of control, text and time, and decides nothing",
  },
  {
    name: "simulation entries",
    covers: ["simulation/nodes/main.ts", "simulation/load/main.ts", "simulation/load/watcher.ts"],
    imports: ["simulation/", "api/", "runtime/", "control/", "core/"],
    loads: ["kubernetes/"],
    packages: ["node:*", "@kubernetes/client-node"],
    rule: "the programs in src/simulation import what the simulation may, and load src/kubernetes only when they are started",
  },
  {
    name: "simulation",
    covers: ["simulation/"],
    imports: ["api/", "runtime/", "control/", "core/"],
    packages: ["node:*", "zod"],
    rule: "src/simulation is the world behind the ports: it imports api, runtime, control and core, never an adapter",
  },
  {
    name: "cli/demo",
    covers: ["cli/demo/"],
    imports: ["cli/", "api/", "runtime/", "simulation/", "control/ports.ts", "control/clock/", ...MECHANICS, "core/explain/"],
    packages: ["node:*", "commander", "picocolors", "yaml"],
    rule: "src/cli/demo plays a fleet: it imports what cli may, clocks and runtime; main hands it the adapters",
  },
  {
    name: "cli/plan/admission",
    covers: ["cli/plan/admission/"],
    imports: ["api/"],
    packages: ["@marcbachmann/cel-js"],
    rule: "src/cli/plan/admission asks what the API server would refuse: it imports api and the evaluator of CEL, which nobody else does",
  },
  {
    name: "cli",
    covers: ["cli/"],
    imports: [
      "api/",
      "simulation/",
      "control/ports.ts",
      "control/inventory.ts",
      "control/client-inventory.ts",
      "control/device-credentials.ts",
      "core/decision.ts",
      "core/client/",
      "core/explain/",
      "core/window/",
      "core/time/",
      "core/text.ts",
      "core/closest.ts",
    ],
    packages: ["node:*", "commander", "picocolors", "yaml"],
    rule: "src/cli speaks to people: it imports api, core/{client,explain,window,time} and simulation; main hands it the adapters",
  },
  {
    name: "settings",
    covers: ["settings.ts", "setting-definitions.ts"],
    imports: ["core/time/", "telemetry/log.ts"],
    packages: ["zod", "node:*"],
    rule: "src/settings.ts reads flags and environment: it imports core/time and the log levels",
  },
  {
    name: "forecast worker",
    covers: ["composition/forecast-worker.ts"],
    imports: ["simulation/foresight/"],
    types: ["control/ports.ts"],
    packages: ["node:*"],
    rule: "the thread that looks ahead imports src/simulation/foresight alone: it is handed the fleet, and reaches nothing of the world",
  },
  {
    name: "composition",
    covers: ["composition/"],
    imports: ["api/", "runtime/", "control/", "kubernetes/", "probe/", "telemetry/", "inventory/", "gateway/", "notices/", "settings.ts"],
    types: ["cli/"],
    // The demo's control plane and nodes, by paths that the bundler does not follow.
    loads: ["../tools/control-plane/", "../tools/nodes/", COMPUTED],
    packages: ["node:*", "@kubernetes/client-node"],
    rule: "src/composition puts adapters behind ports: it decides nothing, so it imports no core",
  },
  {
    name: "main",
    covers: ["main.ts", "commands.ts"],
    imports: [
      "api/",
      "core/",
      "runtime/",
      "control/",
      "kubernetes/",
      "probe/",
      "telemetry/",
      "inventory/",
      "notices/",
      "simulation/",
      "cli/",
      "composition/",
      "settings.ts",
      "setting-definitions.ts",
    ],
    packages: ["node:*", "commander", "picocolors"],
    rule: "src/main.ts is the command, src/commands.ts its subcommands: they may import everything",
  },
];

/** Imported by nobody: it runs when it is loaded. */
export const ROOT = "main.ts";
