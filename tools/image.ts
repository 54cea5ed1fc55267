// npm run image: the operator's image, built without Docker (Linux, root), as a folder in the OCI layout beside its list of contents and
// where it comes from. `--out FOLDER` writes elsewhere; SOURCE_DATE_EPOCH (seconds) is every time in it, 1970 if it is not set.
import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./control-plane/versions.ts";
import { ensureImageTools, ImageToolsUnavailable } from "./image/install.ts";
import { makeImage } from "./image/make.ts";

const { values } = parseArgs({ options: { out: { type: "string", default: resolve(ROOT, "dist", "image") } } });
const given = process.env["SOURCE_DATE_EPOCH"] ?? "0";
if (!/^\d{1,10}$/.test(given)) {
  process.stderr.write(`SOURCE_DATE_EPOCH is ${JSON.stringify(given)}; write a number of seconds, such as $(git log -1 --format=%ct)\n`);
  process.exit(1);
}
const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
try {
  const made = await makeImage(resolve(values.out), await ensureImageTools(), Number(given));
  console.log(`${made.digest}\n${megabytes(made.compressed)} to fetch, ${megabytes(made.unpacked)} unpacked`);
  for (const path of [made.layout, made.sbom, made.provenance]) console.log(relative(process.cwd(), path));
} catch (error) {
  if (!(error instanceof ImageToolsUnavailable)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
