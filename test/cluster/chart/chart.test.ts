import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { allResources } from "../../../src/api/resources.ts";
import { VERSION } from "../../../src/composition/version.ts";
import { readSettings } from "../../../src/settings.ts";
import { LOG_LEVELS } from "../../../src/telemetry/log.ts";
import { templateOf } from "../../../tools/helm/chart-sources.ts";
import { PLAIN_MANIFESTS, plainManifests } from "../../../tools/helm/plain-manifests.ts";
import {
  APART,
  CHART,
  describeWithHelm,
  EMBEDDED,
  EVERYTHING,
  helm,
  IMAGE,
  objectsOf,
  render,
  type Rendered,
  ROOT,
  tools,
} from "./helm.ts";

const FLEET = ["template", "rollward", CHART, "--namespace", "fleet"] as const;

/** What runs only when the release goes has rights of its own; the operator's are looked at without it. */
const NO_HOOK = "uninstall.removeFinalizers=false";

const EMBEDDED_ALONE = "inventory.embedded.enabled=true,operator.replicas=1,gateway.tls.secretName=sockets-tls";

/** Lease times as retry period, renew deadline, lease duration. */
const LEASES = [
  "2s 10s 15s",
  "2s 10s 10s",
  "10s 10s 15s",
  "1s 90s 1m30s",
  "1s 90s 1m31s",
  "59s 1m 1h",
  "2s 10s 500ms",
  "0s 10s 15s",
  "2s 10s 1m1h",
];

/** Values that are refused, and the sentence: where, and what to write instead. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  [
    "operator.replcias=3",
    /at '\/operator\/replcias': value must be 'left out, because there is no such value; here are replicas, logLevel/,
  ],
  [
    "replicas=3",
    /at '\/replicas': value must be 'left out, .* here are image, imagePullSecrets, operator, checkSecrets, inventory, gateway, notices, dataPlane/,
  ],
  ["monitoring.prometheusRules.enabled=true", /at '\/monitoring\/prometheusRules': value must be 'left out, .*prometheusRule, dashboards'/],
  ["console.replicas=2", /at '\/console': value must be 'left out: the console comes with a later version of this chart'/],
  ["operator.replicas=0", /at '\/operator\/replicas': value must be 'a whole number from 1 to 5'/],
  ["operator.spread=yes", /at '\/operator\/spread': value must be 'true or false, without quotes'/],
  ["operator=3", /at '\/operator': value must be 'a map of names and values'/],
  ["imagePullSecrets=registry", /at '\/imagePullSecrets': value must be 'a list: \[one, two\] in a file, \{one,two\} with --set'/],
  ["operator=null", /at '': missing property 'operator'\n- at '': value must be 'whole: null takes a value away, so leave out of yours/],
  ["operator.resources.requests.memroy=1Gi", /at '\/operator\/resources\/requests\/memroy': .*no such resource; here are cpu, memory/],
  [
    "operator.resources.limits.memory=1GB",
    /at '\/operator\/resources\/limits\/memory': value must be 'a quantity, for example 100m or 512Mi'/,
  ],
  ["gateway.resources.request.cpu=1", /at '\/gateway\/resources\/request': .*no such field; here are requests, limits, claims'/],
  ["operator.affinity.nodeAfinity.x=1", /at '\/operator\/affinity\/nodeAfinity': .*here are nodeAffinity, podAffinity, podAntiAffinity'/],
  [
    "operator.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologykey=x",
    /requiredDuringSchedulingIgnoredDuringExecution\/0\/topologykey': .*here are labelSelector, namespaceSelector, namespaces, topologyKey/,
  ],
  ["operator.tolerations[0].operatr=Exists", /at '\/operator\/tolerations\/0\/operatr': .*here are key, operator, value, effect/],
  [
    "networkPolicy.metricsFrom[0].namespaceSelektor.matchLabels.a=b",
    /at '\/networkPolicy\/metricsFrom\/0\/namespaceSelektor': .*here are namespaceSelector, podSelector, ipBlock'/,
  ],
  ["networkPolicy.devicesFrom[0].ipBlock.cidr=192.0.2.1", /'a range of addresses, for example 192\.0\.2\.0\/24'/],
  ["image.tag=-bad", /at '\/image\/tag': value must be 'a tag: at most 128 letters, .* no dot or hyphen comes first/],
  ["image.tag=7", /at '\/image\/tag': value must be 'a tag: .*; a number in quotes \(--set-string\)'/],
  [
    "operator.leaderElection.leaseDuration=5s",
    /operator\.leaderElection: retryPeriod \(2s\) has to be shorter than renewDeadline \(10s\), and that shorter than leaseDuration \(5s\), .*write for example/,
  ],
  [
    "gateway.pollIntervalNear=10m",
    /gateway\.pollIntervalNear is 10m and gateway\.pollInterval 5m, .*: write pollIntervalNear at most as long as pollInterval/,
  ],
  [
    "gateway.replicas=3",
    /gateway\.replicas is set, and there is no inventory, .*: write inventory\.postgresql\.secretName for a gateway of its own/,
  ],
  ["gateway.service.port=8443", /gateway\.service is set, and there is no inventory, .*: write inventory\.embedded\.enabled=true/],
  [
    `${EMBEDDED_ALONE},gateway.replicas=3`,
    /gateway\.replicas is set, and with inventory\.embedded .*pod, of which there is one: leave it out/,
  ],
  [
    `${EMBEDDED_ALONE},gateway.logLevel=debug`,
    /gateway\.logLevel is set, and with inventory\.embedded .*: write operator\.logLevel, which counts/,
  ],
  ["operator.logLevel=verbose", /at '\/operator\/logLevel': value must be one of 'debug', 'info', 'warn', 'error'/],
  [
    "operator.leaderElection.leaseDuration=15",
    /at '\/operator\/leaderElection\/leaseDuration': value must be 'a time with its unit, .*15s/,
  ],
  ["operator.prometheusUrl=prometheus:9090", /at '\/operator\/prometheusUrl': value must be 'an http or https address, for example/],
  ["image.digest=latest", /at '\/image\/digest': value must be 'the digest of the image, sha256: and 64 hexadecimal digits/],
  ["networkPolicy.dataPlanePorts={http}", /at '\/networkPolicy\/dataPlanePorts\/0': value must be 'the number of a port, from 1 to 65535'/],
  [
    "dataPlane.namespaces={fleet}",
    /dataPlane\.namespaces names fleet, which is the fleet namespace: the data plane has to run in another one/,
  ],
  ["image.repository=", /image\.repository is not set, .*build one from the Dockerfile, push it, and write --set image\.repository=/],
  [
    "monitoring.podMonitor.enabled=true",
    /this cluster has no kind PodMonitor: install the Prometheus operator first, or set monitoring\.podMonitor/,
  ],
  [
    "monitoring.podMonitor.enabled=true,monitoring.serviceMonitor.enabled=true",
    /monitoring\.serviceMonitor and monitoring\.podMonitor are both enabled, .*: enable one of them/,
  ],
];

const values = (): unknown => parse(readFileSync(join(CHART, "values.yaml"), "utf8"));

/** Every value by its path, whole maps among them. */
const valuePaths = (value: unknown, path = ""): readonly string[] => [
  ...(path === "" ? [] : [path]),
  ...(typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([name, part]) => valuePaths(part, path === "" ? name : `${path}.${name}`))
    : []),
];

type Rules = readonly { readonly verbs: readonly string[] }[];

describeWithHelm("the chart", () => {
  it("passes helm lint, strictly, as it comes and with everything on", async () => {
    const everything = EVERYTHING.filter((arg) => arg.startsWith("--set"));
    for (const values of [[], [...everything, ...EMBEDDED], [...everything, ...APART]]) {
      // Lint knows no cluster, so it refuses kinds of the Prometheus operator; rendering them is tested below.
      const sets = values.map((value) => value.replace("monitoring.prometheusRule.enabled=true,", ""));
      const { failed, stdout, stderr } = await helm(["lint", "--strict", CHART, ...IMAGE, ...sets]);
      expect(failed, stdout + stderr).toBe(false);
    }
  });

  it.for(REFUSED)("refuses %s with a sentence", async ([values, sentence]) => {
    const { failed, stderr } = await helm([...FLEET, ...IMAGE, "--set", values]);
    expect(failed).toBe(true);
    expect(stderr).toMatch(sentence);
  });

  it.for(LEASES)("takes the lease times %s exactly where a process starts with them", async (times) => {
    const [retryPeriod, renewDeadline, leaseDuration] = times.split(" ");
    const values = Object.entries({ retryPeriod, renewDeadline, leaseDuration }).map(
      ([name, value]) => `operator.leaderElection.${name}=${value}`,
    );
    const { failed } = await helm([...FLEET, ...IMAGE, "--set", values.join(",")]);
    expect(failed).toBe(!readSettings({ retryPeriod, renewDeadline, leaseDuration }, {}).ok);
  });

  it("no value that is taken away by null breaks a template: what has to be there is named", async () => {
    const paths = valuePaths(values());
    expect(paths.length).toBeGreaterThan(80);
    // Two at once, for the machine may have two cores.
    const left = paths.values();
    const broken: string[] = [];
    const look = async () => {
      for (const path of left) {
        const { failed, stderr } = await helm([...FLEET, ...IMAGE, ...APART, "--set", `${path}=null`]);
        if (failed && !stderr.includes("value must be 'whole: null takes a value away")) broken.push(`${path}: ${stderr}`);
      }
    };
    await Promise.all([look(), look()]);
    expect(broken).toEqual([]);
  });

  it("has a sentence of its own for every value that is of a wrong type or form", () => {
    const silent: string[] = [];
    const walk = (schema: unknown, path: string): void => {
      if (typeof schema !== "object" || schema === null) return;
      const bare = ["type", "pattern", "minimum", "maximum", "minLength", "minItems"].filter((keyword) => keyword in schema);
      if (bare.length > 0) silent.push(`${path}: ${bare.join()}`);
      // What stands under "if" is no message yet: "else" says it.
      for (const [name, part] of Object.entries(schema)) {
        if (name === "properties" || name === "patternProperties" || name === "$defs")
          for (const [property, its] of Object.entries(part as object)) walk(its, `${path}/${property}`);
        else if (name === "items" || name === "additionalProperties") walk(part, `${path}/${name}`);
        else if (name === "if" && !("else" in schema)) silent.push(`${path}: if without else`);
      }
    };
    walk(JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")), "");
    expect(silent).toEqual([]);
  });

  it("has the version of the project, three times the same", () => {
    const chart = readFileSync(join(CHART, "Chart.yaml"), "utf8");
    expect(chart).toContain(`\nversion: ${VERSION}\n`);
    expect(chart).toContain(`\nappVersion: ${VERSION}\n`);
  });

  it("gives the operator exactly the rights of config/rbac/operator.yaml, and evictions only when asked", async () => {
    const rightsOf = (objects: readonly Rendered[]) =>
      objects
        .filter(
          ({ kind, metadata }) =>
            /^(Cluster)?Role$/.test(kind) && !/-(reader|release-engineer|approver|account-admin|gateway)$/.test(metadata.name),
        )
        .map(({ kind, metadata, rules }) => ({ kind, name: metadata.name, namespace: metadata.namespace, rules: rules as Rules }))
        .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    const shipped = (file: string) => objectsOf(readFileSync(join(ROOT, "config/rbac", file), "utf8"));
    expect(rightsOf(await render("--set", NO_HOOK))).toEqual(rightsOf(shipped("operator.yaml")));
    expect(rightsOf(await render("--set", `${NO_HOOK},rbac.evictPods=true`))).toEqual(
      rightsOf([...shipped("operator.yaml"), ...shipped("evict-pods.yaml")]),
    );
  });

  it("gives each namespace of the data plane its own Role, and the policies the namespace of the release", async () => {
    const { stdout } = await helm([
      "template",
      "rollward",
      CHART,
      "-n=my-fleet",
      ...IMAGE,
      `--set=${NO_HOOK},dataPlane.namespaces={one,two}`,
    ]);
    const objects = objectsOf(stdout);
    const roles = objects.filter(({ kind }) => kind === "Role").map(({ metadata }) => metadata.namespace ?? "");
    expect(roles.toSorted()).toEqual(["my-fleet", "one", "two"]);
    const bound = objects.filter(({ kind }) => kind.endsWith("RoleBinding"));
    expect(new Set(bound.flatMap(({ subjects }) => (subjects as { namespace: string }[]).map(({ namespace }) => namespace)))).toEqual(
      new Set(["my-fleet"]),
    );
    const policy = objects.find(({ metadata }) => metadata.name === "fleet-namespace.rollward.dev");
    expect(JSON.stringify(policy)).toContain(`"'my-fleet'"`);
    expect(stdout).not.toMatch(/namespace: (fleet|rollward-data-plane)\b/);
  });

  it("keeps the data plane's namespaces when the release goes, and has the kinds where Helm never takes them away", async () => {
    const rendered = await render();
    const kept = rendered.filter(({ metadata }) => metadata.annotations?.["helm.sh/resource-policy"] === "keep");
    expect(kept.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(["Namespace rollward-data-plane"]);
    expect(rendered.filter(({ kind }) => kind === "CustomResourceDefinition")).toEqual([]);
    const { stdout } = await helm(["show", "crds", CHART]);
    const kinds = objectsOf(stdout);
    expect(kinds.map(({ metadata }) => metadata.name).toSorted()).toEqual(
      allResources.map(({ plural }) => `${plural}.rollward.dev`).toSorted(),
    );
    expect(new Set(kinds.map(({ metadata }) => metadata.annotations?.["rollward.dev/version"]))).toEqual(new Set([VERSION]));
  });

  it("has one replica without a budget that would only hold up a drain, and several with one", async () => {
    const budgets = async (replicas: number) =>
      (await render("--set", `operator.replicas=${replicas}`)).filter(({ kind }) => kind === "PodDisruptionBudget").length;
    expect([await budgets(1), await budgets(2)]).toEqual([0, 1]);
  });

  it("denies every pod of its own whatever no policy of it names, in and out", async () => {
    type Labels = Readonly<Record<string, string>>;
    for (const values of [[], EMBEDDED, APART]) {
      const objects = await render(...values);
      const policies = objects
        .filter(({ kind }) => kind === "NetworkPolicy")
        .map(({ spec }) => spec as { podSelector: { matchLabels: Labels }; policyTypes: string[] });
      expect(new Set(policies.map(({ policyTypes }) => policyTypes.join()))).toEqual(new Set(["Ingress,Egress"]));
      const workloads = objects.filter(({ kind }) => kind === "Deployment" || kind === "Job");
      expect(workloads.length).toBeGreaterThan(1);
      for (const { kind, metadata, spec } of workloads) {
        const { labels } = (spec as { template: { metadata: { labels: Labels } } }).template.metadata;
        const selects = ({ podSelector }: { podSelector: { matchLabels: Labels } }) =>
          Object.entries(podSelector.matchLabels).every(([key, value]) => labels[key] === value);
        expect(policies.filter(selects), `${kind} ${metadata.name}`).toHaveLength(1);
      }
    }
  });

  it("takes those log levels alone at which a process starts", () => {
    const { properties } = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")) as {
      properties: Record<"operator" | "gateway", { properties: { logLevel: { enum: string[] } } }>;
    };
    for (const workload of ["operator", "gateway"] as const)
      expect(LOG_LEVELS).toEqual(expect.arrayContaining(properties[workload].properties.logLevel.enum));
  });

  it("names by digest what was given a digest, else by the version of the chart", async () => {
    const image = async (...args: string[]) => /image: (\S+)/.exec((await helm([...FLEET, ...IMAGE, ...args])).stdout)?.[1];
    const digest = `sha256:${"a".repeat(64)}`;
    expect(await image()).toBe(`registry.example/rollward:${VERSION}`);
    expect(await image("--set", `image.digest=${digest},image.tag=x`)).toBe(`registry.example/rollward@${digest}`);
  });

  it("is what config/install.yaml holds, without Helm's marks", () => {
    const manifests = readFileSync(join(ROOT, PLAIN_MANIFESTS), "utf8");
    expect(manifests, "run npm run gen").toBe(plainManifests(tools!.helm));
    expect(manifests).not.toMatch(/helm\.sh|: Helm/);
  });

  it("sends its alerts to the runbooks that the values name", async () => {
    const rule = (await render(...EVERYTHING, "--set", "monitoring.prometheusRule.runbookUrl=https://wiki.example/runbooks/")).find(
      ({ kind }) => kind === "PrometheusRule",
    );
    expect(JSON.stringify(rule)).toContain('"runbook_url":"https://wiki.example/runbooks/RollwardOperatorAbsent.md"');
  });
});

it("a manifest that Helm would read as a template is no source of the chart, nor one whose labels are written another way", () => {
  expect(() => templateOf("x.yaml", "a: '{{ b }}'\n", undefined)).toThrow(/x\.yaml contains \{\{/);
  expect(() => templateOf("x.yaml", "kind: Role\nmetadata: { name: x }\n", undefined)).toThrow(/does not bear exactly labels/);
});
