// Kinds of an older version over those of a later one, by every way that there is: refused before anything of the later ones is lost.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { KIND_VERSION } from "../../src/api/names.ts";
import { compareVersions, parseVersion } from "../../src/api/version.ts";
import { VERSION } from "../../src/composition/version.ts";
import { popDraft } from "../../src/simulation/world.ts";
import { startControlPlane, type ControlPlane } from "../../tools/control-plane/run.ts";
import { changeIn, chartOfVersion } from "./chart/chart-of-version.ts";
import { CHART, describeWithHelm, helm, IMAGE, ROOT } from "./chart/helm.ts";
import { describeWithControlPlane } from "./control-plane/available.ts";

const LATER = "99.1.0";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const POPS = "popclusters.rollward.dev";
const GIVES_UP = "rollward.dev/gives-up-version";
const STANDS = `the kind ${POPS} that is there is of version ${LATER}, and`;

/** What stands × what comes, each pair. The last four are no versions: nobody can say what a kind that stands with them would lose. */
const VERSIONS = [
  "0.9.9",
  "0.10.0",
  "1.0",
  "1.0.0-alpha",
  "1.0.0-alpha.1",
  "1.0.0-alpha.beta",
  "1.0.0-alpha-1",
  "1.0.0-rc.2",
  "1.0.0-rc.11",
  "1.0.0-10",
  "1.0.0-9",
  "1.0.0",
  "1.0.0.1",
  "1.0.0.1-rc.1",
  "2026.11.2",
  "2.999999999999999.0",
  "main",
  "v2.0.0",
  "1.0.0+build",
  "",
] as const;

interface Crd {
  readonly metadata: { readonly resourceVersion: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly status?: unknown;
}

describeWithControlPlane("[T3] older kinds over later ones, on a real API server", () => {
  describeWithHelm("with helm", () => {
    let controlPlane: ControlPlane;
    let folder: string;
    let later: string;

    const admin = (): string => controlPlane.kubeconfig("admin");
    const kubectl = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(controlPlane.binaries.kubectl, ["--kubeconfig", admin(), ...args], { maxBuffer: 16_000_000 })).stdout;
    /** kubectl's complaint; fails where it had none. */
    const refusedTo = (...args: string[]): Promise<string> =>
      kubectl(...args).then(
        (stdout) => expect.fail(`kubectl ${args.join(" ")} did it: ${stdout}`),
        (error: { stderr: string }) => error.stderr,
      );
    const call = async (method: string, path: string, body?: unknown) => {
      const answer = await controlPlane.call("admin", method, path, body);
      return { status: answer.status, object: JSON.parse(answer.body) as Crd & { message?: string } };
    };
    /** Writes annotations into a kind, null takes one out; again where the API server's controllers wrote in between. */
    const annotate = async (name: string, annotations: Readonly<Record<string, string | null>>, query = "") => {
      for (;;) {
        const { object } = await call("GET", `${CRDS}/${name}`);
        const wanted = Object.entries({ ...object.metadata.annotations, ...annotations }).filter(([, value]) => value !== null);
        const metadata = { ...object.metadata, annotations: Object.fromEntries(wanted) };
        const answer = await call("PUT", `${CRDS}/${name}${query}`, { ...object, metadata });
        if (answer.status !== 409) return answer;
      }
    };
    const versionsOfKinds = async (): Promise<readonly string[]> => {
      const { items } = JSON.parse(await kubectl("get", "crd", "-o", "json")) as { items: Crd[] };
      return items.map(({ metadata }) => `${metadata.resourceVersion} ${metadata.annotations?.[KIND_VERSION]}`);
    };
    const laterOfPop = () => kubectl("-n", "fleet", "get", "pop", "fra1", "-o", "jsonpath={.spec.later}");
    const crdsOf = async (chart: string): Promise<string> => {
      const file = join(folder, "crds.yaml");
      writeFileSync(file, (await helm(["show", "crds", chart])).stdout);
      return file;
    };
    /** A CRD of somebody's, of a version of ours. */
    const kind = (plural: string, group: string, version: string | undefined) => ({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.${group}`, ...(version === undefined ? {} : { annotations: { [KIND_VERSION]: version } }) },
      spec: {
        group,
        scope: "Namespaced",
        names: { plural, kind: plural },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    });

    /** The chart as a later version would ship it: its PoPClusters have a field more. */
    const laterChart = (): string => {
      const chart = chartOfVersion(folder, LATER);
      const pops = "crds/rollward.dev_popclusters.yaml";
      const [field] = /^ +displayName:\n/m.exec(readFileSync(join(chart, pops), "utf8"))!;
      changeIn(chart, pops, field, `${field.replace("displayName:", "later: { type: string }")}${field}`);
      return chart;
    };

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "rollward-older-kinds-"));
      controlPlane = await startControlPlane();
      later = laterChart();
      const said = await helm(["install", "rollward", later, "-n", "fleet", "--create-namespace", ...IMAGE], admin());
      expect(said.failed, said.stderr).toBe(false);
      const pop = popDraft("fra1");
      const file = join(folder, "pop.json");
      writeFileSync(file, JSON.stringify({ ...pop, spec: { ...pop.spec, later: "kept" } }));
      await vi.waitFor(() => kubectl("create", "-f", file), { timeout: 20_000, interval: 250 });
      // The policy counts once the server's caches have it.
      await vi.waitFor(async () => expect((await annotate(POPS, { [KIND_VERSION]: VERSION }, "?dryRun=All")).status).toBe(403), {
        timeout: 20_000,
        interval: 100,
      });
    });
    afterAll(async () => {
      await controlPlane?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test("[I21] helm install of an older chart ends at the first kind with the sentence, and has changed nothing", async () => {
      const before = await versionsOfKinds();
      const said = await helm(["install", "other", CHART, "-n", "other", "--create-namespace", ...IMAGE], admin());
      expect(said.failed).toBe(true);
      expect(said.stderr).toContain("failed to install CRD crds/rollward.dev_accountpolicies.yaml");
      expect(said.stderr).toContain(
        `the kind accountpolicies.rollward.dev that is there is of version ${LATER}, and one of the older ${VERSION} would lose`,
      );
      expect(said.stderr).toContain(`leave them as they are (helm install --skip-crds), or apply those of version ${LATER} or later`);
      expect(await versionsOfKinds()).toEqual(before);
      expect(await kubectl("get", "namespaces", "-o", "name")).not.toContain("namespace/other");
      const releases = await kubectl("get", "secrets", "-A", "--field-selector=type=helm.sh/release.v1", "-o", "name");
      expect(releases.trim()).toBe("secret/sh.helm.release.v1.rollward.v1");
      await kubectl("-n", "fleet", "annotate", "pop", "fra1", "note=written");
      expect(await laterOfPop()).toBe("kept");
    });

    test.for([
      ["crds/ of the checkout", ["apply"], () => Promise.resolve(join(ROOT, "crds"))],
      ["crds/ of the checkout, server-side", ["apply", "--server-side", "--force-conflicts"], () => Promise.resolve(join(ROOT, "crds"))],
      ["helm show crds", ["apply", "--server-side", "--force-conflicts"], () => crdsOf(CHART)],
    ] as const)("[I21] kubectl apply of older kinds is refused, each of them: %s", async ([, how, what]) => {
      const before = await versionsOfKinds();
      const complaint = await refusedTo(...how, "-f", await what());
      expect(complaint).toContain(`${STANDS} one of the older ${VERSION} would lose what only the later one knows`);
      expect(complaint.match(/that is there is of version 99\.1\.0/g)).toHaveLength(before.length);
      expect(await versionsOfKinds()).toEqual(before);
    });

    test("[I21] a kind that does not say of which version it is, or says none, does not come over one that does", async () => {
      const nothing = await annotate(POPS, { [KIND_VERSION]: null });
      expect(nothing.object.message).toContain(`${STANDS} one that does not say of which version it is would lose`);
      const none = await annotate(POPS, { [KIND_VERSION]: "main" });
      expect(none.object.message).toContain(`${STANDS} one of "main", which is no version, would lose`);
      expect([nothing.status, none.status]).toEqual([403, 403]);
    });

    test("[I21] the same version, a later one, other edits and the status pass", async () => {
      await kubectl("apply", "--server-side", "--force-conflicts", "-f", await crdsOf(later));
      expect((await annotate(POPS, { [KIND_VERSION]: "99.2.0-rc.1" }, "?dryRun=All")).status).toBe(200);
      expect((await annotate(POPS, { note: "ours" })).status).toBe(200);
      const { object } = await call("GET", `${CRDS}/${POPS}`);
      // A status that is written takes annotations with it, and nothing of the schema; that the policy does not look is the point.
      const older = { ...object, metadata: { ...object.metadata, annotations: { [KIND_VERSION]: VERSION } } };
      const written = await call("PUT", `${CRDS}/${POPS}/status`, older);
      expect(written.status, written.object.message).toBe(200);
      expect((await annotate(POPS, { [KIND_VERSION]: LATER })).status).toBe(200);
      expect(await laterOfPop()).toBe("kept");
    });

    test("[I21] other people's kinds are theirs, whatever they bear, and so are kinds that never said a version", async () => {
      const theirs = [
        kind("things", "example.dev", LATER),
        kind("things", "notrollward.dev", LATER),
        kind("things", "rollward.dev", undefined),
      ];
      for (const { metadata, ...crd } of theirs) {
        expect((await call("POST", CRDS, { ...crd, metadata })).status).toBe(201);
        expect((await annotate(metadata.name, { [KIND_VERSION]: VERSION, note: "theirs" })).status, metadata.name).toBe(200);
        expect((await call("DELETE", `${CRDS}/${metadata.name}`)).status).toBe(200);
      }
    });

    test("[I21] [V1] which version is the older one the policy sees as the operator does, of pre-releases too", async () => {
      const wrong: string[] = [];
      for (const [index, stands] of VERSIONS.entries()) {
        const crd = kind(`ordered${index}s`, "rollward.dev", stands);
        expect((await call("POST", CRDS, crd)).status).toBe(201);
        const tried = VERSIONS.map(async (comes) => {
          const { status, object } = await annotate(crd.metadata.name, { [KIND_VERSION]: comes }, "?dryRun=All");
          const [before, after] = [parseVersion(stands), parseVersion(comes)];
          const allowed = before === undefined || (after !== undefined && compareVersions(after, before) >= 0);
          if (status !== (allowed ? 200 : 403)) wrong.push(`${stands} → ${comes}: ${status} ${object.message}`);
        });
        await Promise.all(tried);
        await call("DELETE", `${CRDS}/${crd.metadata.name}`);
      }
      expect(wrong).toEqual([]);
    });

    test("[I21] the way back names the version that is given up, comes with the older kinds, and counts once", async () => {
      const guide = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
      const [command] = /^\$ (helm show crds .* \| kubectl annotate --local .*)$/m.exec(guide)!.slice(1);
      const back = (givenUp: string) =>
        promisify(execFile)("sh", ["-ec", command!.replace("helm show crds CHART", "cat crds.yaml").replace("LATER", givenUp)], {
          cwd: folder,
          env: { ...process.env, PATH: `${dirname(controlPlane.binaries.kubectl)}:${process.env["PATH"]}`, KUBECONFIG: admin() },
          maxBuffer: 16_000_000,
        });
      await crdsOf(CHART);
      await expect(back(VERSION)).rejects.toThrow(STANDS);
      expect((await annotate(POPS, { [GIVES_UP]: LATER })).status, "on the kinds that stand it allows nothing").toBe(200);
      expect((await annotate(POPS, { [KIND_VERSION]: VERSION })).status).toBe(403);
      expect((await annotate(POPS, { [GIVES_UP]: null })).status).toBe(200);
      expect(await laterOfPop()).toBe("kept");
      await back(LATER);
      await vi.waitFor(async () => expect(await laterOfPop(), "at that loss").toBe(""), { timeout: 20_000, interval: 250 });
      // Later kinds again, by somebody who leaves the annotation on.
      expect((await annotate(POPS, { [KIND_VERSION]: LATER })).status).toBe(200);
      const again = await annotate(POPS, { [KIND_VERSION]: VERSION });
      expect(again.object.message).toContain(STANDS);
      // The same command cleans up after itself.
      await kubectl("apply", "--server-side", "--force-conflicts", "-f", await crdsOf(later));
      expect((await call("GET", `${CRDS}/${POPS}`)).object.metadata.annotations).not.toHaveProperty(GIVES_UP);
    });
  });
});
