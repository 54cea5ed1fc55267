import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const SAMPLES = join(import.meta.dirname, "../../config/samples");
const BAD_SAMPLES = join(import.meta.dirname, "bad-samples");

export interface Sample {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly name: string; readonly resourceVersion?: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

interface BadSample {
  readonly sample: Sample;
  /** As it stands in the file. */
  readonly text: string;
  /** What the API server says of it. */
  readonly expected: RegExp;
}

/** Comments stand before the document that they speak of. */
function documentsOf(folder: string): { text: string; sample: Sample }[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));
  const texts = files.toSorted().flatMap((file) => readFileSync(join(folder, file), "utf8").split(/^---$/m));
  return texts
    .map((text) => ({ text, sample: parse(text) as Sample | null }))
    .filter((document): document is { text: string; sample: Sample } => document.sample !== null);
}

/** What is shipped as an example; every one is accepted. */
export const samples: readonly Sample[] = documentsOf(SAMPLES).map(({ sample }) => sample);

/** What a real API server refuses, each with one mistake. */
export const badSamples: readonly BadSample[] = documentsOf(BAD_SAMPLES).map(({ text, sample }) => {
  const expected = /^# expect: (.+)$/m.exec(text)?.[1];
  if (expected === undefined)
    throw new Error(
      `${sample.kind} ${sample.metadata.name} in ${BAD_SAMPLES} does not say which message it expects: write a line "# expect: …"`,
    );
  return { sample, text, expected: new RegExp(expected, "s") };
});
