import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { z } from "zod";
import { accountPolicySpec } from "../../src/api/account-policy.ts";
import { approvalSpec } from "../../src/api/approval.ts";
import { clientRolloutSpec } from "../../src/api/client-rollout.ts";
import { API_VERSION } from "../../src/api/common.ts";
import { fleetSpec } from "../../src/api/fleet.ts";
import { maintenanceWindowSpec } from "../../src/api/maintenance-window.ts";
import { popClusterSpec } from "../../src/api/pop-cluster.ts";
import { type Assignment, MOST_ASSIGNMENT_TEXT, popRolloutSpec } from "../../src/api/pop-rollout.ts";
import { allResources } from "../../src/api/resources.ts";
import { socketRolloutSpec } from "../../src/api/socket-rollout.ts";
import { socketSiteSpec } from "../../src/api/socket-site.ts";
import { tunnelSiteSpec } from "../../src/api/tunnel-site.ts";
import { startControlPlane, type ControlPlane } from "../../tools/control-plane/run.ts";
import { admissionOver } from "../../src/cli/plan/admission/refusals.ts";
import { describeWithControlPlane } from "./control-plane/available.ts";
import { badSamples, type Sample, samples, SAMPLES } from "./samples.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What the API server answers: the object, or a Status with a message. */
interface Answer extends Sample {
  readonly message: string;
  readonly details?: { readonly causes?: readonly { readonly field: string; readonly reason: string; readonly message: string }[] };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}
const SPECS: Readonly<Record<string, z.ZodType>> = {
  AccountPolicy: accountPolicySpec,
  Approval: approvalSpec,
  ClientRollout: clientRolloutSpec,
  Fleet: fleetSpec,
  MaintenanceWindow: maintenanceWindowSpec,
  PoPCluster: popClusterSpec,
  PoPRollout: popRolloutSpec,
  SocketRollout: socketRolloutSpec,
  SocketSite: socketSiteSpec,
  TunnelSite: tunnelSiteSpec,
};
/** What the server says of types, bounds and lists, in its own words. */
const STRUCTURAL =
  /some validation rules were not checked|should be (at least|greater|less)|should have at|should match|must be of type|in body/;
const pluralOf = (kind: string): string => allResources.find((resource) => resource.kind === kind)!.plural;
const pathOf = ({ kind, metadata }: Sample): string => `/apis/${API_VERSION}/namespaces/${metadata.namespace}/${pluralOf(kind)}`;
const named = (kind: string, name: string): Sample => samples.find((sample) => sample.kind === kind && sample.metadata.name === name)!;

describeWithControlPlane("[T3] the kinds on a real API server", () => {
  let controlPlane: ControlPlane;

  const kubectl = (...args: string[]) =>
    promisify(execFile)(controlPlane.binaries.kubectl, ["--kubeconfig", controlPlane.kubeconfig("admin"), ...args]);
  const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; object: Answer }> => {
    const answer = await controlPlane.call("admin", method, path, body);
    return { status: answer.status, object: JSON.parse(answer.body) as Answer };
  };
  /** Tries to create it, changing nothing; unknown fields are errors. */
  const tryOut = (sample: Sample) => call("POST", `${pathOf(sample)}?dryRun=All&fieldValidation=Strict`, sample);

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    const created = await kubectl("create", "-f", join(ROOT, "crds"), "-f", join(SAMPLES, "00-namespaces.yaml"));
    expect(created.stderr, "the API server warned").toBe("");
    await kubectl(
      "wait",
      "--for=condition=Established",
      "--timeout=30s",
      "crd",
      ...allResources.map(({ plural }) => `${plural}.rollward.dev`),
    );
    // Established is said a moment before the paths answer.
    await vi.waitFor(
      async () => {
        for (const { plural } of allResources) expect((await call("GET", `/apis/${API_VERSION}/${plural}`)).status).toBe(200);
      },
      { timeout: 20_000, interval: 100 },
    );
  });
  afterAll(async () => {
    await controlPlane?.stop();
  });

  test("the committed CRDs are taken without a warning and every condition of theirs is good", async () => {
    for (const resource of allResources) {
      const { object } = await call("GET", `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${resource.crd().metadata.name}`);
      const state = Object.fromEntries(object.status.conditions.map((condition) => [condition.type, condition.status]));
      expect(state).toMatchObject({ NamesAccepted: "True", Established: "True" });
      expect(state.NonStructuralSchema).toBeUndefined();
    }
  });

  test("every sample is accepted by kubectl's strict server-side dry run, without a warning", async () => {
    const applied = await kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-R", "-f", SAMPLES);
    expect(applied.stderr).toBe("");
    expect(applied.stdout.trim().split("\n")).toHaveLength(samples.length);
  });

  test("the defaults that the server fills in are those of the zod schema", async () => {
    for (const sample of samples.filter(({ kind }) => kind in SPECS)) {
      const { status, object } = await tryOut(sample);
      expect(status, JSON.stringify(object)).toBe(201);
      expect(object.spec, `${sample.kind} ${sample.metadata.name}`).toEqual(SPECS[sample.kind]!.parse(sample.spec));
    }
  });

  test("the smallest PoPCluster is accepted and gets every default of the zod schema", async () => {
    const { timeZone, nodeSelector, windowRef } = named("PoPCluster", "fra1").spec;
    const spec = {
      timeZone,
      nodeSelector,
      windowRef,
      template: { spec: { containers: [{ name: "data-plane", image: "data-plane:${version}" }] } },
    };
    const { status, object } = await tryOut({
      ...named("PoPCluster", "fra1"),
      metadata: { namespace: "fleet", name: "x".repeat(40) },
      spec,
    });
    expect(status, JSON.stringify(object)).toBe(201);
    expect(object.spec).toEqual(popClusterSpec.parse(spec));
    expect(object.spec).toMatchObject({
      strategy: { maxUnavailable: 1, watch: "336h", drain: { lease: "2m" } },
      health: { minimumSamples: 30 },
    });
  });

  test.for(badSamples.map((bad) => [`${bad.sample.kind} ${bad.sample.metadata.name}: ${bad.expected.source}`, bad] as const))(
    "refused, saying what to write instead: %s",
    async ([, bad]) => {
      const { status, object } = await tryOut(bad.sample);
      expect(object.message).toMatch(bad.expected);
      expect([400, 422]).toContain(status);
      expect(object.message, "a rule failed to run").not.toMatch(/evaluation error|no such key|no such overload/);
    },
  );

  test.for(badSamples.map((bad) => [`${bad.sample.kind} ${bad.sample.metadata.name}: ${bad.expected.source}`, bad] as const))(
    "[F7] what a rule of the server refuses, the plan refuses at the same field with the same sentence: %s",
    async ([, { sample }]) => {
      const { object } = await tryOut(sample);
      const causes = object.details?.causes ?? [];
      const said = admissionOver(() => undefined)(sample.kind, sample as unknown as Record<string, unknown>);
      const server = causes.filter(({ reason, message }) => reason === "FieldValueInvalid" && !STRUCTURAL.test(message));
      for (const { field, message } of server)
        expect(said.map((one) => [one.path || "<nil>", message.endsWith(one.message)])).toContainEqual([field, true]);
      // And it refuses nothing that the server does not, unless the server stopped at another mistake before it asked its rules.
      if (causes.length > 0 && server.length === causes.length)
        expect(said.map(({ path }) => path || "<nil>").toSorted()).toEqual(server.map(({ field }) => field).toSorted());
    },
  );

  test("what the template holds beside the declared fields is kept as it was written", async () => {
    const { object } = await tryOut(named("PoPCluster", "fra1"));
    expect(object.spec.template).toEqual(named("PoPCluster", "fra1").spec.template);
  });

  test("dataPlaneNamespace stays, another DaemonSet to adopt is refused, dropping adopt is allowed", async () => {
    const original = named("PoPCluster", "fra1");
    const created = (
      await call("POST", pathOf(original), { ...original, spec: { ...original.spec, adopt: { daemonSet: { name: "old" } } } })
    ).object;
    const change = (spec: object) => call("PUT", `${pathOf(original)}/fra1?dryRun=All`, { ...created, spec: { ...created.spec, ...spec } });
    expect((await change({ dataPlaneNamespace: "elsewhere" })).object.message).toMatch(/create a new PoPCluster for another namespace/);
    expect((await change({ adopt: { daemonSet: { name: "other" } } })).object.message).toMatch(
      /remove adopt first, then write the other name/,
    );
    expect((await change({ adopt: undefined, version: "2026.11.3" })).status).toBe(200);
  });

  test("the columns tell state, versions, and what it waits for until when", async () => {
    const read = (await call("GET", `${pathOf(named("PoPCluster", "fra1"))}/fra1`)).object;
    const since = "2026-11-22T00:00:00Z";
    const status = {
      version: "2026.11.1",
      run: {
        id: 1,
        kind: "Roll",
        revision: "abc",
        version: "2026.11.2",
        startedAt: since,
        state: "Rolling",
        frozen: { members: [], order: [] },
      },
      holds: [{ rule: "W3", reason: "OutsideWindow", message: "closed", until: "2026-11-29T00:00:00Z" }],
      conditions: [{ type: "Ready", status: "True", reason: "Serving", message: "", lastTransitionTime: since }],
    };
    const written = await call("PUT", `${pathOf(read)}/fra1/status`, { ...read, status });
    expect(written.status, JSON.stringify(written.object)).toBe(200);
    const { stdout } = await kubectl("get", "pop", "-n", "fleet");
    expect(stdout.split("\n")[0]).toMatch(/NAME +STATE +VERSION +TARGET +RUN +WAITS FOR +UNTIL +AGE/);
    expect(stdout.split("\n")[1]).toMatch(/fra1 +Serving +2026\.11\.1 +2026\.11\.2 +Rolling +OutsideWindow +2026-11-29T00:00:00Z/);
    const ofRegion = (region: string) => kubectl("get", "pop", "-n", "fleet", `--field-selector=spec.region=${region}`, "-o", "name");
    expect((await ofRegion("eu-central")).stdout).toBe("popcluster.rollward.dev/fra1\n");
    expect((await ofRegion("us-east")).stdout).toBe("");
  });

  /** Whether the server takes the change of a created object's spec; nothing is changed. */
  const changed = async (created: Answer, spec: object): Promise<{ status: number; object: Answer }> =>
    call("PUT", `${pathOf(created)}/${created.metadata.name}?dryRun=All`, { ...created, spec: { ...created.spec, ...spec } });

  test.for([
    [{ version: "2026.11.3" }, /spec\.version: .*create a new PoPRollout for another one/],
    [{ version: undefined, content: { version: "sig.418" } }, /create a new PoPRollout for another one/],
    [{ from: "2026.11.x" }, /spec\.from: .*create a new PoPRollout for another range/],
    [{ class: "Emergency", reason: "now" }, /spec\.class: .*create a new PoPRollout with the other class/],
    [{ requestedBy: "somebody-else@example.com" }, /spec\.requestedBy: .*create a new PoPRollout/],
    [{ supersedes: { name: "r-2026-11-1" } }, /spec\.supersedes: .*create a new PoPRollout/],
    [{ stages: [], paused: true, requests: { stop: { at: "2026-11-22T03:00:00Z" } } }, undefined],
  ] as const)("[F8] what a rollout is stays; how it goes on may change: %j", async ([change, refusal], { onTestFinished }) => {
    const rollout = { ...named("PoPRollout", "r-2026-11-2"), metadata: { namespace: "fleet", name: "stays" } };
    const { startNotBefore: _, ...spec } = rollout.spec;
    const created = (await call("POST", pathOf(rollout), { ...rollout, spec })).object;
    onTestFinished(async () => void (await call("DELETE", `${pathOf(rollout)}/stays`)));
    const { status, object } = await changed(created, change);
    expect(status, object.message).toBe(refusal ? 422 : 200);
    if (refusal) expect(object.message).toMatch(refusal);
  });

  test("[F8] an Approval is not edited", async () => {
    const approval = named("Approval", "r-2026-11-2-1-emergency");
    const created = (await call("POST", pathOf(approval), approval)).object;
    expect((await changed(created, { decision: "Refuse" })).object.message).toMatch(/a decision is not edited: create another Approval/);
    expect((await changed(created, { expiresAt: "2027-11-18T22:00:00Z" })).status).toBe(422);
    expect((await changed(created, {})).status).toBe(200);
  });

  test("a rollout over a thousand PoPs fits into one object, the longest sentences included", async () => {
    const rollout = named("PoPRollout", "r-2026-11-2-1");
    const created = (await call("POST", pathOf(rollout), rollout)).object;
    const assignments = (text: string): Assignment[] =>
      Array.from({ length: 1000 }, (_, index) => ({
        pop: `frankfurt-${index}`,
        uid: "00000000-0000-0000-0000-000000000000",
        wave: "rest",
        version: "2026.11.2.1",
        class: "Emergency",
        announcedAt: "2026-11-13T12:00:00.000Z",
        from: "2026-11-22",
        to: "2026-12-06",
        bake: "24h",
        watchUntil: "2026-12-06T12:00:00.000Z",
        approval: "r-2026-11-2-1-emergency",
        order: "Hold",
        because: text,
        state: "RollbackFailed",
        since: "2026-11-22T12:00:00.000Z",
        reason: "RollbackFailed",
        message: text,
      }));
    const write = async (text: string) => {
      const { object } = await call("GET", `${pathOf(created)}/${created.metadata.name}`);
      const pops = assignments(text).map(({ pop }) => pop);
      const waves = [{ name: "rest", state: "Open", pops }];
      return call("PUT", `${pathOf(created)}/${created.metadata.name}/status`, {
        ...object,
        status: { assignments: assignments(text), waves },
      });
    };
    const usual = await write("x".repeat(80));
    expect(usual.status, usual.object.message).toBe(200);
    expect(JSON.stringify(usual.object).length).toBeLessThan(750_000);
    const longest = await write("x".repeat(MOST_ASSIGNMENT_TEXT));
    expect(longest.status, longest.object.message).toBe(200);
    expect((await write("x".repeat(MOST_ASSIGNMENT_TEXT + 1))).status).toBe(422);
  });

  test("[G14] the server itself refuses a second grant to one PoP", async () => {
    const fleet = (await call("POST", pathOf(named("Fleet", "fleet")), named("Fleet", "fleet"))).object;
    const grant = { pop: "fra1", uid: "u1", kind: "Roll", since: "2026-11-22T00:00:00Z" };
    const other = { ...grant, pop: "tyo1", uid: "u2", id: 1 };
    const written = await call("PUT", `${pathOf(fleet)}/fleet/status`, {
      ...fleet,
      status: { disruptions: [{ ...grant, id: 1 }, other], counts: { disrupted: 2, waiting: 0 } },
    });
    expect(written.status, JSON.stringify(written.object)).toBe(200);
    expect((await kubectl("get", "fl", "-n", "fleet")).stdout).toMatch(/fleet +false +2 +0 /);
    const twice = {
      ...written.object,
      status: {
        disruptions: [
          { ...grant, id: 1 },
          { ...grant, id: 2 },
        ],
      },
    };
    const answer = await call("PUT", `${pathOf(named("Fleet", "fleet"))}/fleet/status`, twice);
    expect(answer.object.message).toMatch(/disruptions\[1\]: Duplicate value/);
  });
});
