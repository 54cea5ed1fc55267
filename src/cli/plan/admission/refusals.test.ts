import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { badSamples, samples } from "../../../../test/cluster/samples.ts";
import { allResources } from "../../../api/resources.ts";
import { readManifests } from "../manifests.ts";
import { compileRule } from "./cel.ts";
import { admissionOver } from "./refusals.ts";

const created = admissionOver(() => undefined);
const problemsOf = (text: string): readonly string[] => readManifests("f", text, created).problems;

/** What the server says of types, bounds, lists and unknown fields stands in the plan in the plan's own words, at the same field. */
const STRUCTURAL =
  /Required value|Unsupported value|Duplicate value|greater than or equal|less than or equal|should have at least|chars long|unknown field/;

const PLANNED = new Set(["Fleet", "MaintenanceWindow", "PoPCluster", "PoPRollout", "Approval", "TunnelSite"]);

describe("[F7] what the API server would refuse, the plan refuses", () => {
  it("[F7] every rule of every kind can be asked here", () => {
    const rules: string[] = [];
    const collect = (node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      const { "x-kubernetes-validations": here = [] } = node as { "x-kubernetes-validations"?: readonly { rule: string }[] };
      rules.push(...here.map(({ rule }) => rule));
      for (const inside of Object.values(node)) collect(inside);
    };
    for (const resource of allResources) collect(resource.crd());
    expect(rules.length).toBeGreaterThan(170);
    for (const rule of rules) expect(() => compileRule(rule), rule).not.toThrow();
  });

  /** Of kinds that no plan is made of only the rules are asked. */
  const inPlan = badSamples.filter(({ sample, expected }) => PLANNED.has(sample.kind) || !STRUCTURAL.test(expected.source));
  it.each(inPlan.map((bad) => [`${bad.sample.kind} ${bad.sample.metadata.name}: ${bad.expected.source}`, bad] as const))(
    "[F7] refused with the sentence of the server: %s",
    (_, { sample, text, expected }) => {
      const problems = problemsOf(text);
      expect(problems).not.toEqual([]);
      if (STRUCTURAL.test(expected.source)) {
        const [field = ""] = expected.source.replace(/^unknown field "/, "").split(/: |"/);
        expect(problems.join("\n")).toMatch(/^[a-z]/.test(field) ? new RegExp(field) : expected.source.slice(-10, -1));
        return;
      }
      const said = created(sample.kind, sample as unknown as Record<string, unknown>).map(({ path, message }) => `${path}: ${message}`);
      expect(said.join("\n")).toMatch(expected);
      // And the sentence is printed, not another one about the same field.
      for (const { message } of created(sample.kind, sample as unknown as Record<string, unknown>))
        expect(problems.join("\n")).toContain(message);
    },
  );

  it("[F7] nothing that is shipped as a sample is refused", () => {
    for (const sample of samples) expect(problemsOf(stringify(sample)), `${sample.kind} ${sample.metadata.name}`).toEqual([]);
  });

  const rollout = {
    apiVersion: "rollward.dev/v1alpha1",
    kind: "PoPRollout",
    metadata: { namespace: "fleet", name: "r-2" } as object,
    spec: { version: "2.0.0", requestedBy: "anna", waves: [{ name: "all", pops: { percent: 100 } }] } as object,
  };
  it.each([
    [{ apiVersion: "rollward.dev/v1" }, 'apiVersion is "rollward.dev/v1"; write rollward.dev/v1alpha1'],
    [{ apiVersion: undefined }, "apiVersion: it is missing: write rollward.dev/v1alpha1"],
    [{ metadata: { name: "R_2" } }, 'metadata.name is "R_2"; write lower-case letters, digits, hyphens and points'],
    [{ metadata: { name: "r-2-" } }, 'metadata.name is "r-2-"; write lower-case letters'],
    [{ metadata: { name: "r", namespace: "a.b" } }, 'metadata.namespace is "a.b"; write lower-case letters, digits and hyphens'],
    [{ metadata: { name: "r", labels: { stage: 3 } } }, "metadata.labels[stage] is 3; write a text of letters"],
    [{ metadata: { name: "r", annotations: { nodes: 3 } } }, 'metadata.annotations[nodes] is 3; write a text in quotation marks, "3"'],
  ])("[F7] %j is refused", (change, sentence) => {
    expect(problemsOf(stringify({ ...rollout, ...change })).join()).toContain(sentence);
  });

  it("[F8] what stands in the cluster may not become another release: the rules of an update are asked of an update alone", () => {
    const over = admissionOver(() => rollout);
    const other = { ...rollout, spec: { ...rollout.spec, version: "2.0.1" } };
    expect(over("PoPRollout", other).map(({ text }) => text)).toEqual([
      expect.stringMatching(/^spec\.version: .*create a new PoPRollout for another one/),
    ]);
    expect(over("PoPRollout", { ...rollout, spec: { ...rollout.spec, paused: true } })).toEqual([]);
    expect(created("PoPRollout", other)).toEqual([]);
  });
});
