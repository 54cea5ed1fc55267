import { parseAllDocuments } from "yaml";
import { type AccountPolicy, accountPolicySpec } from "../../api/account-policy.ts";
import type { Approval } from "../../api/approval.ts";
import { type ClientRollout, clientRolloutSpec } from "../../api/client-rollout.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { PopRollout } from "../../api/pop-rollout.ts";
import { API_VERSION } from "../../api/common.ts";
import { approvalSpec } from "../../api/approval.ts";
import { fleetSpec } from "../../api/fleet.ts";
import { maintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { popClusterSpec } from "../../api/pop-cluster.ts";
import { popRolloutSpec } from "../../api/pop-rollout.ts";
import { type TunnelSite, tunnelSiteSpec } from "../../api/tunnel-site.ts";
import { closest } from "../../core/closest.ts";
import { readWindow } from "../../core/window/read.ts";
import { issueText } from "../../api/issue-text.ts";
import { allResources } from "../../api/resources.ts";
import type { Admission } from "./admission/refusals.ts";

/** The objects that a plan is made of, wherever they were read. */
export interface Manifests {
  readonly fleets: readonly Fleet[];
  readonly windows: readonly MaintenanceWindow[];
  readonly pops: readonly PopCluster[];
  readonly rollouts: readonly PopRollout[];
  readonly approvals: readonly Approval[];
  readonly sites: readonly TunnelSite[];
  readonly clientRollouts: readonly ClientRollout[];
  readonly policies: readonly AccountPolicy[];
}

type Fields = Record<string, unknown>;
const isMap = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** Kinds that a plan is made of. */
const SPECS = {
  Fleet: fleetSpec,
  MaintenanceWindow: maintenanceWindowSpec,
  PoPCluster: popClusterSpec,
  PoPRollout: popRolloutSpec,
  Approval: approvalSpec,
  TunnelSite: tunnelSiteSpec,
  ClientRollout: clientRolloutSpec,
  AccountPolicy: accountPolicySpec,
} as const;
type KindName = keyof typeof SPECS;
const KINDS = allResources.map(({ kind }) => kind);

/** Objects of one file, or every problem as a sentence that says what to write instead. */
export type ReadFile = { readonly objects: readonly ManifestObject[]; readonly problems: readonly string[] };

export interface ManifestObject {
  readonly kind: KindName;
  readonly metadata: Fields & { readonly name: string; readonly namespace?: string };
  readonly spec: unknown;
  readonly status?: unknown;
}

/**
 * Reads a file of manifests, several documents or a List; a status that stands there is taken as it is (rule W10: nothing is guessed).
 * What the API server would refuse is refused here, with its sentences (rule F7).
 */
export function readManifests(path: string, text: string, admission: Admission): ReadFile {
  const { values, problem } = valuesOf(path, text);
  if (problem !== undefined) return { objects: [], problems: [problem] };
  const objects: ManifestObject[] = [];
  const problems: string[] = [];
  if (values.every((value) => value === null || value === undefined))
    problems.push(`${path} holds no object; write manifests with kind, metadata and spec`);
  for (const value of values.flatMap(itemsOf)) {
    if (value === null || value === undefined) continue;
    const found = readObject(path, value, admission);
    if (found === undefined) continue;
    if ("problems" in found) problems.push(...found.problems);
    else objects.push(found);
  }
  return { objects, problems };
}

function valuesOf(path: string, text: string): { readonly values: readonly unknown[]; readonly problem?: string } {
  const json = jsonOf(text);
  if (json !== undefined) return { values: [json] };
  const documents = parseAllDocuments(text);
  const [broken] = documents.flatMap((document) => ("errors" in document ? document.errors : []));
  if (broken !== undefined) {
    const said = broken.message.split("\n")[0]!.replace(/:$/, "");
    return { values: [], problem: `${path} is no YAML: ${said}; correct it and try again` };
  }
  return { values: documents.map((document) => ("toJS" in document ? document.toJS({ maxAliasCount: 100 }) : undefined) as unknown) };
}

/** What kubectl writes with `-o json` is YAML too, but tens of thousands of sites would take a YAML parser ten seconds. */
function jsonOf(text: string): unknown {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // a flow mapping of YAML
  }
}

const itemsOf = (value: unknown): readonly unknown[] =>
  isMap(value) && value["kind"] === "List" && Array.isArray(value["items"]) ? value["items"] : [value];

/** Kinds that stand in the namespaces of accounts. */
export const OF_ACCOUNTS: ReadonlySet<string> = new Set<KindName>(["TunnelSite", "AccountPolicy"]);

/** Undefined: an object that a plan does not need, of somebody else, such as a Namespace, or a kind of Sockets. */
function readObject(
  path: string,
  value: unknown,
  admission: Admission,
): ManifestObject | { readonly problems: readonly string[] } | undefined {
  if (!isMap(value))
    return {
      problems: [`${path} holds ${JSON.stringify(value)?.slice(0, 40)}, which is no object; write manifests with kind, metadata and spec`],
    };
  const kind = String(value["kind"]);
  if (!KINDS.includes(kind)) {
    if (value["apiVersion"] === undefined && value["kind"] !== undefined && closest(kind, KINDS) === undefined)
      return {
        problems: [`${path}: a ${kind} without apiVersion is nothing; write apiVersion: ${API_VERSION} and one of ${KINDS.join(", ")}`],
      };
    if (value["apiVersion"] !== undefined && value["apiVersion"] !== API_VERSION && value["kind"] !== undefined) return undefined;
    return { problems: [`${path}: there is no kind ${kind}; write ${closest(kind, KINDS) ?? `one of ${KINDS.join(", ")}`}`] };
  }
  const metadata = value["metadata"];
  if (!isMap(metadata) || typeof metadata["name"] !== "string") return { problems: [`${path}: a ${kind} has no metadata.name; write one`] };
  const { spec, problems } = isKind(kind) ? readSpec(kind, value["spec"]) : { problems: [] };
  const refused = admission(kind, value).filter(({ path: at }) => !(at === "spec.waves" && problems.some(isPercent)));
  // Of a field that both speak of, the API server's sentence is said.
  const others = problems.filter((problem) => !refused.some(({ path: at }) => isAbout(problem, at)));
  const found = [...refused.map(({ text }) => text), ...others];
  if (found.length > 0) return { problems: found.map((problem) => `${path}: ${kind} ${String(metadata["name"])}: ${problem}`) };
  if (!isKind(kind)) return undefined;
  return {
    kind,
    metadata: metadata as ManifestObject["metadata"],
    spec,
    ...(value["status"] === undefined ? {} : { status: value["status"] }),
  };
}

/** A percent that is none also breaks the rules of how they grow; that is no second fault. */
const isPercent = (problem: string): boolean => /^spec\.waves\[\d+\]\.pops\.percent is /.test(problem);

/** A sentence that begins with this very path, or with that of the item or mapping which it is in. */
function isAbout(problem: string, path: string): boolean {
  const [of = ""] = /^[\w.[\]]+/.exec(problem) ?? [];
  return path === of || (of.endsWith("]") && path.startsWith(`${of}.`));
}

/** A spec that stands in a cluster as it would be read from a file, with the same defaults; one of another kind, or unreadable, as it is. */
export const specOf = (kind: string, spec: unknown): unknown => (isKind(kind) ? (readSpec(kind, spec).spec ?? spec) : spec);

const isKind = (kind: string): kind is KindName => Object.hasOwn(SPECS, kind);

function readSpec(kind: KindName, spec: unknown): { readonly spec?: unknown; readonly problems: readonly string[] } {
  if (kind === "MaintenanceWindow") {
    const read = readWindow(spec);
    return read.problems === undefined ? { spec: read.spec, problems: [] } : { problems: read.problems };
  }
  const parsed = SPECS[kind].safeParse(spec);
  if (!parsed.success) return { problems: parsed.error.issues.map((issue) => issueText(issue, spec)) };
  const unknown = unknownFields(spec, parsed.data, "spec");
  return unknown.length > 0 ? { problems: unknown } : { spec: parsed.data, problems: [] };
}

/** What the schema has dropped: a name that nobody knows would silently mean nothing. */
function unknownFields(given: unknown, kept: unknown, path: string): string[] {
  if (Array.isArray(given) && Array.isArray(kept))
    return given.flatMap((item, index) => unknownFields(item, kept[index], `${path}[${index}]`));
  if (!isMap(given) || !isMap(kept)) return [];
  return Object.entries(given).flatMap(([key, value]) =>
    key in kept ? unknownFields(value, kept[key], `${path}.${key}`) : [`${path}.${key} is no field; ${meant(key, Object.keys(kept))}`],
  );
}

const meant = (key: string, known: readonly string[]): string => {
  const found = closest(key, known);
  return found === undefined ? "take it out, or look the name up" : `write ${found}`;
};
