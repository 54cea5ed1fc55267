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
  "59s 1m 10m",
  "59s 1m 10m1s",
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
  [
    "operator=null",
    /^rollward:\n- at '': value must be 'whole: null takes a value away, so leave out of yours .*'\n- at '': missing property 'operator'$/m,
  ],
  ["operator.replicas=null", /^rollward:\n- at '\/operator': value must be 'whole: .*'\n- at '\/operator': missing property 'replicas'$/m],
  [
    "image.repository=REGISTRY/rollward",
    /at '\/image\/repository': value must be 'the address .*; for REGISTRY write the name of your registry/,
  ],
  [
    "image.repository=registry.example/Rollward",
    /at '\/image\/repository': value must be 'the address of the image in lower case, without tag/,
  ],
  ["image.repository=registry.example/rollward:1.2", /at '\/image\/repository': .*without tag or digest, .*; the tag is image\.tag/],
  ["image.repository=localhost:5000/rollward:1.2", /at '\/image\/repository': .*for example registry\.example\/rollward or localhost:5000/],
  ["image.repository=rollward@sha256", /at '\/image\/repository': .*without tag or digest, .*the digest image\.digest'/],
  ["image.repository=registry.example/our rollward", /at '\/image\/repository': value must be 'the address of the image in lower case/],
  ["imagePullSecrets={My_registry}", /at '\/imagePullSecrets\/0': value must be 'the name of a Secret .*for example my-registry'/],
  ["operator.priorityClassName=Foo Bar", /at '\/operator\/priorityClassName': value must be 'the name of an object in lower-case letters/],
  ["operator.priorityClassName=a..b", /at '\/operator\/priorityClassName': value must be 'the name of an object in lower-case letters/],
  ["operator.podLabels.my team=edge", /at '\/operator\/podLabels\/my team': .*no label has such a key: .*for example example\.com\/team'/],
  ["operator.podLabels.team=the edge", /at '\/operator\/podLabels\/team': value must be 'the value of a label, text of at most 63 letters/],
  ["operator.podLabels.team=7", /at '\/operator\/podLabels\/team': .*; a number, true and false in quotes'/],
  [
    "operator.podLabels.app\\.kubernetes\\.io/name=mine",
    /at '\/operator\/podLabels\/app\.kubernetes\.io~1name': value must be 'left out: the chart sets this label itself, .*under another key'/,
  ],
  ["gateway.podLabels.helm\\.sh/chart=mine", /at '\/gateway\/podLabels\/helm\.sh~1chart': .*the chart sets this label itself/],
  ["operator.podAnnotations.a b=x", /at '\/operator\/podAnnotations\/a b': .*no annotation has such a key: .*example\.com\/team'/],
  [
    "operator.podAnnotations.kubectl\\.kubernetes\\.io/default-container=x",
    /podAnnotations\/kubectl\.kubernetes\.io~1default-container': .*the chart sets this annotation itself/,
  ],
  ["gateway.service.annotations.a b=x", /at '\/gateway\/service\/annotations\/a b': .*no annotation has such a key/],
  ["operator.nodeSelector.disk=very fast", /at '\/operator\/nodeSelector\/disk': value must be 'the value of a label/],
  ["monitoring.serviceMonitor.labels.a b=x", /at '\/monitoring\/serviceMonitor\/labels\/a b': .*no label has such a key/],
  [
    "monitoring.dashboards.labels.app\\.kubernetes\\.io/instance=x",
    /dashboards\/labels\/app\.kubernetes\.io~1instance': .*the chart sets this label itself/,
  ],
  ["networkPolicy.metricsFrom[0].podSelector.matchLabels.a=b c", /podSelector\/matchLabels\/a': value must be 'the value of a label/],
  [
    "operator.resources.requests.memory=1Gi",
    /operator\.resources: requests\.memory is 1Gi and limits\.memory 512Mi, .*: write the limit at least as large .*limits\.memory=null/,
  ],
  [
    "operator.resources.requests.cpu=1.5,operator.resources.limits.cpu=1400m",
    /operator\.resources: requests\.cpu is 1\.5 and limits\.cpu 1400m, and no pod may ask for more than it may use/,
  ],
  [
    `inventory.postgresql.secretName=a,gateway.tls.secretName=b,gateway.resources.limits.memory=160M`,
    /gateway\.resources: requests\.memory is 160Mi and limits\.memory 160M, .*gateway\.resources\.limits\.memory=null/,
  ],
  ["dataPlane.namespaces={a,a}", /at '\/dataPlane\/namespaces': value must be 'a list with at least one of them, and each once'/],
  [
    "networkPolicy.prometheusPorts={9090,9090}",
    /at '\/networkPolicy\/prometheusPorts': value must be 'a list that names each of them once'/,
  ],
  [
    "dataPlane.namespaces={edge,kube-system}",
    /dataPlane\.namespaces names kube-system, which is the cluster's own: the data plane has to run in another one, .*write pods and DaemonSets/,
  ],
  ["dataPlane.namespaces={kube-node-lease}", /dataPlane\.namespaces names kube-node-lease, which is the cluster's own/],
  [
    "monitoring.prometheusRule.runbookUrl=foo",
    /at '\/monitoring\/prometheusRule\/runbookUrl': value must be 'an http or https address, for example https:\/\/wiki\.example\.com\/runbooks/,
  ],
  ["networkPolicy.metricsFrom[0].ipBlock.cidr=10.0.0.0/33", /metricsFrom\/0\/ipBlock\/cidr': value must be 'a range .*at most \/32/],
  ["networkPolicy.metricsFrom[0].ipBlock.cidr=10.0.0.256/24", /metricsFrom\/0\/ipBlock\/cidr': value must be 'a range of addresses/],
  ["networkPolicy.metricsFrom[0].ipBlock.cidr=2001:db8::/129", /metricsFrom\/0\/ipBlock\/cidr': value must be 'a range .*at most \/128/],
  [
    "networkPolicy.enabled=false,networkPolicy.metricsFrom[0].ipBlock.cidr=10.0.0.0/8",
    /networkPolicy\.metricsFrom is set, and networkPolicy\.enabled is false, .*: write networkPolicy\.enabled=true, or leave it out/,
  ],
  [
    "networkPolicy.devicesFrom[0].ipBlock.cidr=10.0.0.0/8",
    /networkPolicy\.devicesFrom is set, and there is no inventory, .*: write inventory\.embedded\.enabled=true/,
  ],
  [
    "operator.leaderElection.leaseDuration=9000h",
    /operator\.leaderElection\.leaseDuration is 9000h, and so long nobody would lead after a crash: write at most 10m, for example 15s/,
  ],
  ["gateway.pollInterval=9000h", /gateway\.pollInterval is 9000h, and so long a device would hear of nothing, .*: write at most 24h/],
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
  ["networkPolicy.devicesFrom[0].ipBlock.cidr=192.0.2.1", /'a range of addresses, for example 192\.0\.2\.0\/24 /],
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

/** Values that are near those refused, and taken. */
const TAKEN = [
  "image.repository=localhost:5000/rollward",
  "image.repository=registry.example:443/our-team/rollward_1.x",
  "image.repository=rollward",
  "imagePullSecrets={my.registry}",
  "operator.priorityClassName=system-cluster-critical",
  "operator.podLabels.example\\.com/team=Edge_1.x,operator.podLabels.empty=",
  "operator.podAnnotations.Example\\.com/Note=any text: of any length",
  "networkPolicy.metricsFrom[0].ipBlock.cidr=0.0.0.0/0,networkPolicy.metricsFrom[1].ipBlock.cidr=2001:db8::/32",
  "networkPolicy.metricsFrom[0].ipBlock.cidr=::/0,networkPolicy.metricsFrom[1].ipBlock.cidr=::ffff:192.0.2.0/128",
  "operator.resources.requests.memory=512Mi,operator.resources.limits.memory=0.5Gi",
  "operator.resources.requests.cpu=300m,operator.resources.limits.cpu=0.3",
  "operator.resources.requests.memory=536870912",
  "operator.resources.requests.memory=4Gi,operator.resources.limits.memory=null",
  "operator.resources.limits=null",
  "operator.leaderElection.leaseDuration=10m",
  "dataPlane.namespaces={default}",
  "inventory.embedded.enabled=true,operator.replicas=1,gateway.tls.secretName=tls,inventory.embedded.size=10G,gateway.pollInterval=24h",
  "networkPolicy.enabled=false,networkPolicy.dataPlanePorts={8080}",
] as const;

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

  it.for(TAKEN)("takes %s", async (values) => {
    const { failed, stderr } = await helm([...FLEET, ...IMAGE, "--set", values]);
    expect(failed, stderr).toBe(false);
  });

  it("every command of the notes that sets a value keeps those that were set before", async () => {
    const settings = ["--set", `${EMBEDDED_ALONE},notices.hosts={hooks.acme.example}`, "--set", "rbac.people=false"];
    const { stdout } = await helm(["install", "rollward", CHART, "--namespace", "fleet", "--dry-run=client", ...IMAGE, ...settings]);
    const notes = stdout.slice(stdout.indexOf("NOTES:")).split("\n");
    const commands = notes.filter((line) => /--set |helm upgrade/.test(line)).map((line) => line.trim());
    expect(commands.map((command) => command.replace(/.*--set /, ""))).toEqual([
      "notices.signing.secretName=rollward-notices,notices.signing.key=key",
      "'networkPolicy.dataPlanePorts={8080,179}'",
      "monitoring.serviceMonitor.enabled=true,monitoring.prometheusRule.enabled=true",
      expect.stringMatching(/^helm upgrade/),
    ]);
    for (const command of commands) expect(command).toMatch(/^helm upgrade rollward CHART -n fleet --reset-then-reuse-values( --set |$)/);
    expect(notes.join("\n")).toContain("! Notices are not signed, so nobody who receives one can tell who sent it. Sign them:");
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
      const bare = ["type", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "uniqueItems", "required"].filter(
        (keyword) => keyword in schema,
      );
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
