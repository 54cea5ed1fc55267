import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { parseAllDocuments } from "yaml";
import { API_VERSION } from "../../src/api/common.ts";
import { allResources } from "../../src/api/resources.ts";
import { grantOperatorRights } from "../../tools/control-plane/operator-rights.ts";
import { startControlPlane, type ControlPlane } from "../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "./control-plane/available.ts";

const ROOT = join(import.meta.dirname, "../..");
const CONFIG = join(ROOT, "config");
const POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces";

/** Three engineers with the same rights, so that whatever is refused is refused by who they are; and a customer. */
const [ANNA, BO, CLEO] = ["anna@example.com", "bo@example.com", "cleo@example.com"] as const;
const CUSTOMER = "admin@acme.example";
const DIGEST = `sha256:${"0".repeat(64)}`;

interface Sample {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}
interface Answer {
  readonly status: number;
  readonly message: string;
  readonly object: Sample & { readonly metadata: { readonly uid: string; readonly finalizers?: readonly string[] } };
}

const rollout = (name: string, requestedBy: string, namespace = "fleet"): Sample => ({
  kind: "PoPRollout",
  metadata: { namespace, name },
  spec: { version: "2026.11.2", requestedBy, waves: [{ name: "rest", pops: { percent: 100 } }] },
});
const approval = (name: string, approvedBy: string, of: { name: string; uid: string }, spec: object = {}): Sample => ({
  kind: "Approval",
  metadata: { namespace: "fleet", name },
  spec: {
    for: { kind: "PoPRollout", ...of, digest: DIGEST },
    actions: ["Promote"],
    decision: "Approve",
    reason: "all green",
    approvedBy,
    expiresAt: "2026-11-29T00:00:00Z",
    ...spec,
  },
});
const tunnelSite = (namespace: string): Sample => ({
  kind: "TunnelSite",
  metadata: { namespace, name: "plant-9" },
  spec: { type: "IPsec", primaryPoP: "fra1", secondaryPoP: "ams1" },
});
const sample = (file: string): Sample => parseAllDocuments(readFileSync(join(CONFIG, "samples", file), "utf8"))[0]!.toJS() as Sample;
const pathOf = ({ kind, metadata }: Sample): string =>
  `/apis/${API_VERSION}/namespaces/${metadata.namespace}/${allResources.find((resource) => resource.kind === kind)!.plural}`;

describeWithControlPlane("[T3] who may write what, on a real API server", () => {
  let controlPlane: ControlPlane;

  const kubectl = (...args: string[]) =>
    promisify(execFile)(controlPlane.binaries.kubectl, ["--kubeconfig", controlPlane.kubeconfig("admin"), ...args]);
  const call = async (user: string, method: string, path: string, body?: unknown): Promise<Answer> => {
    const { status, body: text } = await controlPlane.call(user, method, path, body);
    const object = JSON.parse(text) as Answer["object"] & { message?: string };
    return { status, message: object.message ?? "", object };
  };
  const create = (user: string, object: Sample) => call(user, "POST", pathOf(object), { apiVersion: API_VERSION, ...object });
  const tryOut = (user: string, object: Sample) =>
    call(user, "POST", `${pathOf(object)}?dryRun=All`, { apiVersion: API_VERSION, ...object });
  /** The server reads policies and their parameters from caches that are moments behind. */
  const soon = (assertion: () => Promise<void>) => vi.waitFor(assertion, { timeout: 20_000, interval: 100 });
  const refused = (user: string, object: Sample, status: number, message: RegExp) =>
    soon(async () => {
      const answer = await tryOut(user, object);
      expect(answer.message).toMatch(message);
      expect(answer.status).toBe(status);
    });
  const accepted = (user: string, object: Sample) =>
    soon(async () => {
      const answer = await tryOut(user, object);
      expect(answer.status, answer.message).toBe(201);
    });
  /** What config/rbac/people.yaml says in its first lines, for one user. */
  const bind = async (role: string, namespace: string, user: string) => {
    const answer = await call("admin", "POST", `${BINDINGS}/${namespace}/rolebindings`, {
      metadata: { name: `${role}-${user.split("@")[0]}` },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
    });
    expect(answer.status, answer.message).toBe(201);
  };

  beforeAll(async () => {
    controlPlane = await startControlPlane({ users: [ANNA, BO, CLEO, CUSTOMER].map((name) => ({ name, groups: [] })) });
    const namespaces = join(CONFIG, "samples/00-namespaces.yaml");
    await kubectl("create", "-f", join(ROOT, "crds"), "-f", namespaces, "-f", join(CONFIG, "rbac/people.yaml"));
    await kubectl("create", "namespace", "other");
    await kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all");
    await grantOperatorRights(controlPlane, "operator");
    for (const user of [ANNA, BO, CLEO]) {
      await bind("rollward-release-engineer", "fleet", user);
      await bind("rollward-approver", "fleet", user);
    }
    await bind("rollward-account-admin", "acme", CUSTOMER);
    const { stderr } = await kubectl("create", "-f", join(CONFIG, "policies"));
    expect(stderr, "the API server warned").toBe("");
    // Each of the policies is enforced once it refuses something; the two with parameters are waited for where they are tested.
    await refused("admin", rollout("early", "nobody"), 403, /requestedBy is whoever creates/);
    await refused("admin", approval("early", "nobody", { name: "x", uid: "x" }), 403, /approvedBy is whoever creates/);
    await refused("admin", { ...rollout("early", "admin"), metadata: { namespace: "acme", name: "early" } }, 422, /fleet namespace/);
  });
  afterAll(async () => {
    await controlPlane?.stop();
  });

  test("every expression of the policies fits the schemas that it reads", async () => {
    await soon(async () => {
      const { object } = await call("admin", "GET", POLICIES);
      const { items } = object as unknown as {
        items: { metadata: { name: string }; status?: { observedGeneration?: number; typeChecking?: { expressionWarnings?: unknown } } }[];
      };
      expect(items.map(({ metadata }) => metadata.name)).toEqual([
        "approved-by.rollward.dev",
        "approvers.rollward.dev",
        "fleet-namespace.rollward.dev",
        "kinds.rollward.dev",
        "requested-by.rollward.dev",
        "second-person.rollward.dev",
      ]);
      for (const { metadata, status } of items) {
        expect(status?.observedGeneration, metadata.name).toBe(1);
        expect(status?.typeChecking?.expressionWarnings, metadata.name).toBeUndefined();
      }
    });
  });

  test("[F8] requestedBy is who creates the PoPRollout, and nobody else", async () => {
    await refused(ANNA, rollout("of-bo", BO), 403, /write spec\.requestedBy: anna@example\.com/);
    await accepted(ANNA, rollout("of-anna", ANNA));
    const created = await create(ANNA, rollout("later-of-bo", ANNA));
    const path = `${pathOf(created.object)}/later-of-bo`;
    const taken = await call(BO, "PUT", path, { ...created.object, spec: { ...created.object.spec, requestedBy: BO } });
    expect(taken.message).toMatch(/who asked for a rollout does not change: create a new PoPRollout/);
    const paused = await call(BO, "PUT", path, { ...created.object, spec: { ...created.object.spec, paused: true } });
    expect(paused.status, "whoever may write it may pause what somebody else asked for").toBe(200);
  });

  test("[F8] the sample release is refused as it stands, and taken with the commands of README, user guide, notes and sample, as anybody", async () => {
    const file = "config/samples/release/poprollout-regular.yaml";
    await refused(ANNA, sample("release/poprollout-regular.yaml"), 403, /write spec\.requestedBy: anna@example\.com/);
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const [whoAmI, commands] = /^\$ me=\$\((kubectl auth whoami .*)\)\n\$ sed .* \| kubectl create -f -$/m.exec(readme)?.reverse() ?? [];
    const lines = commands!.split("\n").map((line) => line.slice("$ ".length));
    for (const page of ["docs/user-guide.md", file])
      for (const line of lines) expect(readFileSync(join(ROOT, page), "utf8")).toContain(line);
    expect(readFileSync(join(ROOT, "charts/rollward/templates/NOTES.txt"), "utf8")).toContain(whoAmI);
    const env = {
      ...process.env,
      PATH: `${dirname(controlPlane.binaries.kubectl)}:${process.env["PATH"]}`,
      KUBECONFIG: controlPlane.kubeconfig(ANNA),
    };
    await promisify(execFile)("sh", ["-ec", lines.join("\n")], { cwd: ROOT, env });
    const { object } = await call(ANNA, "GET", `${pathOf(rollout("r-2026-11-2", ANNA))}/r-2026-11-2`);
    expect(object.spec["requestedBy"]).toBe(ANNA);
  });

  test("the samples that README says to apply may be there in part, the namespaces from Helm: nothing warns, and nothing conflicts", async () => {
    const command = "apply --server-side -f config/samples";
    expect(readFileSync(join(ROOT, "README.md"), "utf8")).toContain(`$ kubectl ${command} `);
    const words = command.split(" ").map((word) => (word.startsWith("config/") ? join(ROOT, word) : word));
    expect((await kubectl(...words, "--dry-run=server")).stderr).toBe("");
  });

  test("[F8] approvedBy is who creates the Approval, and nobody else", async () => {
    const asked = (await create(ANNA, rollout("to-approve", ANNA))).object.metadata;
    const of = { name: asked.name, uid: asked.uid };
    await refused(
      BO,
      approval("by-cleo", CLEO, of),
      403,
      /approvedBy is whoever creates the Approval: write spec\.approvedBy: bo@example\.com/,
    );
    await accepted(BO, approval("by-bo", BO, of));
  });

  test.for([
    ["Promote", {}],
    ["Emergency", { actions: ["Emergency"] }],
    ["RetryFailed", { actions: ["RetryFailed"] }],
    ["LiftFreeze", { actions: ["LiftFreeze"], freezes: ["year-end"] }],
    ["a refusal", { decision: "Refuse" }],
  ] as const)("[F8] who asked for a rollout does not decide on it: %s", async ([, spec], { onTestFinished }) => {
    const asked = (await create(ANNA, rollout("own", ANNA))).object.metadata;
    onTestFinished(async () => void (await call("admin", "DELETE", `${pathOf(rollout("own", ANNA))}/own`)));
    await create(BO, rollout("of-bo-meanwhile", BO));
    const own = /PoPRollout own was requested by you \(anna@example\.com\), so somebody else decides on it; .*rollward stop popro\/own/;
    await refused(ANNA, approval("own", ANNA, { name: "own", uid: asked.uid }, spec), 403, own);
    await refused(ANNA, approval("own", ANNA, { name: "own", uid: "another" }, spec), 403, own);
    await refused(ANNA, approval("own", ANNA, { name: "another", uid: asked.uid }, spec), 403, own);
    await accepted(BO, approval("own", BO, { name: "own", uid: asked.uid }, spec));
  });

  test("[F8] where the Fleet names approvers only these decide", async () => {
    const asked = (await create(ANNA, rollout("named-approvers", ANNA))).object.metadata;
    const of = { name: asked.name, uid: asked.uid };
    const fleet: Sample = { kind: "Fleet", metadata: { namespace: "fleet", name: "fleet" }, spec: { approvers: [BO] } };
    await accepted(CLEO, approval("by-cleo", CLEO, of));
    const created = await create("admin", fleet);
    expect(created.status, created.message).toBe(201);
    await refused(
      CLEO,
      approval("by-cleo", CLEO, of),
      403,
      /you \(cleo@example\.com\) are not among the approvers of the Fleet: ask one of bo@example\.com/,
    );
    await accepted(BO, approval("by-bo", BO, of));
    await call("admin", "PUT", `${pathOf(fleet)}/fleet`, { ...created.object, spec: {} });
    await accepted(CLEO, approval("by-cleo", CLEO, of));
  });

  test("what counts only in the fleet namespace is refused elsewhere, an account's site in the fleet namespace", async () => {
    const elsewhere = (object: Sample): Sample => ({ ...object, metadata: { ...object.metadata, namespace: "acme" } });
    const provider = [
      rollout("lost", "admin"),
      approval("lost", "admin", { name: "x", uid: "x" }),
      sample("release/popcluster-ams1.yaml"),
      { ...sample("fleet.yaml") },
    ];
    for (const object of provider)
      await refused("admin", elsewhere(object), 422, new RegExp(`a ${object.kind} counts only .*write metadata\\.namespace: fleet`));
    await accepted("admin", sample("release/popcluster-ams1.yaml"));
    await accepted("admin", elsewhere(sample("maintenance-window-pop-sunday.yaml")));
    await refused("admin", tunnelSite("fleet"), 422, /a TunnelSite belongs to a customer's account: write the namespace of the account/);
    await refused("admin", tunnelSite("other"), 422, /such a namespace bears the label rollward\.dev\/account/);
    await accepted("admin", tunnelSite("acme"));
  });

  test("a customer's administrator writes sites in the account's own namespace and nothing else", async () => {
    await accepted(CUSTOMER, tunnelSite("acme"));
    await refused(CUSTOMER, tunnelSite("other"), 403, /cannot create resource "tunnelsites"/);
    await refused(CUSTOMER, rollout("of-a-customer", CUSTOMER), 403, /cannot create resource "poprollouts"/);
    const listed = await call(CUSTOMER, "GET", `/apis/${API_VERSION}/tunnelsites`);
    expect(listed.status, "sites of other accounts").toBe(403);
  });

  test("an Approval stays: who may create one may neither edit nor delete it", async () => {
    const asked = (await create(ANNA, rollout("kept", ANNA))).object.metadata;
    const kept = await create(BO, approval("kept", BO, { name: asked.name, uid: asked.uid }));
    expect(kept.status, kept.message).toBe(201);
    const path = `${pathOf(kept.object)}/kept`;
    expect((await call(BO, "DELETE", path)).status).toBe(403);
    expect((await call(BO, "PUT", path, kept.object)).status).toBe(403);
  });

  test("what the operator writes passes: the status of what others asked for, the finalizer of a PoPCluster", async () => {
    const asked = (await create(ANNA, rollout("for-the-operator", ANNA))).object;
    const decided = (await create(BO, approval("for-the-operator", BO, { name: asked.metadata.name, uid: asked.metadata.uid }))).object;
    const site = (await create(CUSTOMER, tunnelSite("acme"))).object;
    for (const object of [asked, decided, site]) {
      const written = await call("operator", "PUT", `${pathOf(object)}/${object.metadata.name}/status`, {
        ...object,
        status: { observedGeneration: 1 },
      });
      expect(written.status, written.message).toBe(200);
      const spec = await call("operator", "PUT", `${pathOf(object)}/${object.metadata.name}`, object);
      expect(spec.status, "a spec is never the operator's").toBe(403);
    }
    for (const plural of ["poprollouts", "approvals"])
      expect((await call("operator", "GET", `/apis/${API_VERSION}/namespaces/fleet/${plural}`)).status).toBe(200);
    expect((await call("operator", "GET", `/apis/${API_VERSION}/tunnelsites`)).status, "sites of every account").toBe(200);
    expect((await call("operator", "GET", "/api/v1/namespaces?labelSelector=rollward.dev/account")).status, "accounts").toBe(200);
    expect((await call("operator", "GET", `/apis/${API_VERSION}/approvals`)).status, "beyond the fleet namespace").toBe(403);
  });
});
