import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silent } from "../control-plane/progress.ts";
import { ensureHelm, findHelm, HelmUnavailable } from "./install.ts";
import { HELM_VERSION, KUBECONFORM_VERSION } from "./versions.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rollward-helm-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test("helm and kubeconform have the versions that the Go module has", () => {
  const module = readFileSync(join(import.meta.dirname, "go.mod"), "utf8");
  expect(/helm\.sh\/helm\/v4 v(\S+)/.exec(module)?.[1]).toBe(HELM_VERSION);
  expect(/yannh\/kubeconform v(\S+)/.exec(module)?.[1]).toBe(KUBECONFORM_VERSION);
});

test("without Go there is no helm, and a sentence says so", async () => {
  const attempt = ensureHelm({ root, env: { PATH: join(root, "no-programs") }, progress: silent });
  await expect(attempt).rejects.toThrow(new HelmUnavailable("No helm is to be had: There is no Go on the PATH."));
});

test("what is in the cache is found when all of it is there", () => {
  const directory = join(root, ".cache", "helm", HELM_VERSION);
  mkdirSync(directory, { recursive: true });
  for (const name of ["helm", "kubeconform"]) {
    writeFileSync(join(directory, name), "");
    chmodSync(join(directory, name), 0o755);
  }
  expect(findHelm({ root }), "the kinds of the Prometheus operator are not there yet").toBeUndefined();
  for (const plural of ["podmonitors", "prometheusrules", "servicemonitors"])
    writeFileSync(join(directory, `monitoring.coreos.com_${plural}.yaml`), "");
  expect(findHelm({ root })?.helm).toBe(join(directory, "helm"));
});
