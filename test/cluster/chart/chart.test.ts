import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { allResources } from "../../../src/api/resources.ts";
import { VERSION } from "../../../src/composition/version.ts";
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
  ["operator.replicas=0", /at '\/operator\/replicas': minimum: got 0, want 1/],
  ["operator.logLevel=verbose", /at '\/operator\/logLevel': value must be one of 'debug', 'info', 'warn', 'error'/],
  ["operator.leaderElection.leaseDuration=15", /at '\/operator\/leaderElection\/leaseDuration': got number, want string/],
  ["operator.prometheusUrl=prometheus:9090", /'prometheus:9090' does not match pattern '\^\(https\?/],
  ["image.digest=latest", /at '\/image\/digest': 'latest' does not match pattern '\^\(sha256:/],
  ["networkPolicy.dataPlanePorts={http}", /at '\/networkPolicy\/dataPlanePorts\/0': got string, want integer/],
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
