// The chart of this checkout as another version would ship it.
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { KIND_VERSION } from "../../../src/api/names.ts";
import { VERSION } from "../../../src/composition/version.ts";
import { CHART } from "./helm.ts";

/** Replaces text in a file of a chart; fails where it is not there. */
export function changeIn(chart: string, path: string, from: string, to: string): void {
  const text = readFileSync(join(chart, path), "utf8");
  expect(text, path).toContain(from);
  writeFileSync(join(chart, path), text.replaceAll(from, to));
}

/** A copy of the chart, whose operator and kinds say that they are of that version. Returns its folder. */
export function chartOfVersion(folder: string, version: string): string {
  const chart = join(folder, `chart-${version}`);
  cpSync(CHART, chart, { recursive: true });
  changeIn(chart, "Chart.yaml", `ersion: ${VERSION}`, `ersion: ${version}`);
  for (const name of readdirSync(join(chart, "crds")))
    changeIn(chart, `crds/${name}`, `${KIND_VERSION}: ${VERSION}`, `${KIND_VERSION}: ${version}`);
  return chart;
}
