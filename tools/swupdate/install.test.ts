import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Progress } from "../control-plane/progress.ts";
import { ensureSwupdate, findSwupdate } from "./install.ts";

let root: string;
let bin: string;
let said: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rollward-swupdate-"));
  bin = join(root, "bin");
  mkdirSync(bin);
  said = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function program(name: string, text: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(bin, name), 0o755);
}
const options = () => ({ root, env: { PATH: bin }, progress: { say: (line: string) => void said.push(line) } as Progress });

test("an installed one is taken as it is", async () => {
  program("swupdate", "exit 0");
  expect(await ensureSwupdate(options())).toEqual({ source: "PATH", command: join(bin, "swupdate") });
  expect(said).toEqual([]);
});

test("without one Debian's package is unpacked, with the libraries that the machine lacks, and found again", async () => {
  program(
    "apt-get",
    `case "$*" in
  *--simulate*) echo "Inst libconfig9 (1)"; echo "Inst swupdate (1)" ;;
  download*) for name in $*; do test "$name" = download || : > "$name"_1.deb; done ;;
  *) exit 1 ;;
esac`,
  );
  const unpack = `/bin/mkdir -p "$3/usr/lib/x86_64-linux-gnu" "$3/usr/bin"
printf '#!/bin/sh\\nexit 0\\n' > "$3/usr/bin/swupdate"
/bin/chmod +x "$3/usr/bin/swupdate"`;
  program("dpkg-deb", unpack);
  const kept = join(root, ".cache", "swupdate", "root", "usr");
  const expected = { command: join(kept, "bin/swupdate"), libraries: join(kept, "lib/x86_64-linux-gnu") };
  expect(await ensureSwupdate(options())).toEqual({ source: "debian package", ...expected });
  expect(findSwupdate(options())).toEqual({ source: "cache", ...expected });
  expect(said).toHaveLength(1);
});

test("where nothing has one, the error says of each source why", async () => {
  program("apt-get", "echo 'E: Unable to locate package swupdate' >&2; exit 100");
  await expect(ensureSwupdate(options())).rejects.toThrow(/none on the PATH.*no Debian package: E: Unable to locate package swupdate/);
});
