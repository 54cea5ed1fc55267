// What the roles that the project ships may not have, whoever adds to them; test/cluster/chart/least-privilege.test.ts asks a real API server.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { GROUP } from "../../src/api/common.ts";
import { allResources } from "../../src/api/resources.ts";

const FOLDER = join(import.meta.dirname, "../../config/rbac");

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly Rule[];
}

const roles = readdirSync(FOLDER)
  .flatMap((file) => parseAllDocuments(readFileSync(join(FOLDER, file), "utf8")).map((document) => document.toJS() as Role))
  .filter(({ rules }) => rules !== undefined);
const PEOPLE = /-(reader|release-engineer|approver|account-admin)$/;
const ofMachines = roles.filter(({ metadata }) => !PEOPLE.test(metadata.name));

const told = ({ kind, metadata }: Role, { verbs, resources }: Rule): string =>
  `${kind} ${metadata.name}: ${verbs.join(", ")} ${resources.join(", ")}`;
const rulesOf = (found: readonly Role[], matching: (rule: Rule) => boolean): string[] =>
  found.flatMap((role) => role.rules!.filter(matching).map((rule) => told(role, rule)));

describe("the roles of config/rbac", () => {
  it("have no wildcard, of nobody", () => {
    expect(roles.length).toBeGreaterThan(8);
    const wild = ({ apiGroups, resources, verbs }: Rule) => [...apiGroups, ...resources, ...verbs].some((word) => word.includes("*"));
    expect(rulesOf(roles, wild)).toEqual([]);
  });

  it("read no Secret of the cluster, and write none anywhere", () => {
    const secrets = ({ resources }: Rule) => resources.includes("secrets");
    expect(
      rulesOf(
        roles.filter(({ kind }) => kind === "ClusterRole"),
        secrets,
      ),
    ).toEqual([]);
    expect(rulesOf(roles, secrets)).toEqual(["Role rollward: get secrets, configmaps"]);
  });

  it("give nobody a way to more rights, to other people's names, or to what everybody's calls go through", () => {
    const groups = ["rbac.authorization.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io", "certificates.k8s.io"];
    const ways = ["escalate", "bind", "impersonate", "approve", "sign"];
    const resources = ["pods/exec", "pods/attach", "pods/ephemeralcontainers", "nodes/proxy", "serviceaccounts/token", "serviceaccounts"];
    const dangerous = (rule: Rule) =>
      // To get a kind by its name is to read its annotation, and no way to anything.
      (rule.apiGroups.some((group) => groups.includes(group)) && rule.verbs.some((verb) => verb !== "get")) ||
      rule.verbs.some((verb) => ways.includes(verb)) ||
      rule.resources.some((resource) => resources.includes(resource));
    expect(rulesOf(roles, dangerous)).toEqual([]);
  });

  it("let machines write the status of our kinds and never what people wish, but for the operator's finalizer", () => {
    const written = ({ apiGroups, verbs, resources }: Rule) =>
      apiGroups.includes(GROUP) &&
      verbs.some((verb) => !["get", "list", "watch"].includes(verb)) &&
      resources.some((one) => !one.endsWith("/status"));
    expect(rulesOf(ofMachines, written)).toEqual(["Role rollward: get, list, watch, patch popclusters"]);
  });

  it("let the gateway write nothing, and see neither nodes nor pods", () => {
    const gateway = roles.filter(({ metadata }) => metadata.name === "rollward-gateway");
    expect(gateway).toHaveLength(2);
    expect(rulesOf(gateway, ({ verbs }) => verbs.some((verb) => verb !== "get" && verb !== "list"))).toEqual([]);
    expect(rulesOf(gateway, ({ resources }) => resources.some((one) => /^(nodes|pods|secrets|configmaps)/.test(one)))).toEqual([]);
  });

  it("let people read every kind of ours, by name", () => {
    const all = allResources.map(({ plural }) => plural).toSorted();
    const people = roles.filter(({ metadata }) => PEOPLE.test(metadata.name));
    expect(people).toHaveLength(4);
    for (const { rules, metadata } of people)
      expect(rules!.find(({ verbs }) => verbs.join() === "get,list,watch")?.resources.toSorted(), metadata.name).toEqual(all);
  });
});
