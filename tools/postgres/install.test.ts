import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Progress } from "../control-plane/progress.ts";
import { ensurePostgres, findPostgres } from "./install.ts";

let root: string;
let bin: string;
let said: string[];
const progress = { say: (line: string) => void said.push(line) } as Progress;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rollward-postgres-"));
  bin = join(root, "bin");
  mkdirSync(bin);
  said = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function program(folder: string, name: string, text = "exit 0"): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, name), 0o755);
}
/** Nothing of this machine's: it may have a server. */
const options = () => ({ root, system: join(root, "system"), env: { PATH: bin }, progress });

test("the newest installed version is taken, as it is; one without initdb is none", async () => {
  const installed = (version: string) => join(root, "system", "usr", "lib", "postgresql", version, "bin");
  for (const version of ["9", "15"]) for (const name of ["initdb", "postgres"]) program(installed(version), name);
  program(installed("17"), "postgres");
  program(bin, "apt-get", "exit 1");
  expect(await ensurePostgres(options())).toEqual({ source: "installed", bin: installed("15"), env: {} });
  expect(said).toEqual([]);
});

test("without one Debian's package is unpacked, with what it depends on, and found again", async () => {
  program(
    bin,
    "apt-get",
    `case "$*" in
  *--simulate*) echo "Inst libpq5 (1)"; echo "Inst postgresql-15 (1)" ;;
  download*) for name in $*; do test "$name" = download || : > "$name"_1.deb; done ;;
  *) exit 1 ;;
esac`,
  );
  program(
    bin,
    "dpkg-deb",
    `/bin/mkdir -p "$3/usr/lib/x86_64-linux-gnu" "$3/usr/lib/postgresql/15/bin"
for name in initdb postgres; do
  printf '#!/bin/sh\\nexit 0\\n' > "$3/usr/lib/postgresql/15/bin/$name"
  /bin/chmod +x "$3/usr/lib/postgresql/15/bin/$name"
done`,
  );
  const kept = join(root, ".cache", "postgresql", "root", "usr", "lib");
  const expected = { bin: join(kept, "postgresql/15/bin"), env: { LD_LIBRARY_PATH: join(kept, "x86_64-linux-gnu") } };
  expect(await ensurePostgres(options())).toEqual({ source: "debian package", ...expected });
  expect(findPostgres(options())).toEqual({ source: "cache", ...expected });
  expect(said).toHaveLength(1);
});

test("where there is none, what was looked for is said in one sentence, with apt's own reason", async () => {
  program(bin, "apt-get", `echo "E: Unable to locate package postgresql-15" >&2; exit 100`);
  await expect(ensurePostgres(options())).rejects.toThrow(
    /^No PostgreSQL is to be had: none on the PATH, none in .*, and no Debian package: E: Unable to locate package postgresql-15\.$/,
  );
});
