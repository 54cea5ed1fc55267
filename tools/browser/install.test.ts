import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Progress } from "../control-plane/progress.ts";
import { ensureBrowser, findBrowser } from "./install.ts";

let root: string;
let bin: string;
let said: string[];
const progress = { say: (line: string) => void said.push(line) } as Progress;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rollward-browser-"));
  bin = join(root, "bin");
  mkdirSync(bin);
  said = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function program(name: string, text: string): string {
  const path = join(bin, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}
/** Nothing of this machine's: it may have a browser. */
const env = () => ({ PATH: bin });

test("a browser on the PATH is taken as it is, and nothing is fetched", async () => {
  const path = program("google-chrome", "exit 1");
  program("apt-get", "exit 1");
  expect(await ensureBrowser({ root, env: env(), progress })).toEqual({ source: "PATH", path, env: {} });
  expect(said).toEqual([]);
});

test("without one Debian's package is unpacked, with what it depends on, and found again", async () => {
  program(
    "apt-get",
    `case "$*" in
  *--simulate*) echo "Inst libx (1)"; echo "Inst chromium (1)" ;;
  download*) for name in $*; do test "$name" = download || : > "$name"_1.deb; done ;;
  *) exit 1 ;;
esac`,
  );
  program(
    "dpkg-deb",
    `/bin/mkdir -p "$3/usr/lib/x86_64-linux-gnu/own" "$3/usr/lib/chromium" "$3/usr/share/fonts"
: > "$3/usr/lib/x86_64-linux-gnu/own/libx.so"
printf '#!/bin/sh\\nexit 0\\n' > "$3/usr/lib/chromium/chromium"
/bin/chmod +x "$3/usr/lib/chromium/chromium"`,
  );
  const browser = await ensureBrowser({ root, env: env(), progress });
  const folder = join(root, ".cache", "chromium");
  const lib = join(folder, "root/usr/lib/x86_64-linux-gnu");
  expect(browser).toEqual({
    source: "debian package",
    path: join(folder, "root/usr/lib/chromium/chromium"),
    env: { LD_LIBRARY_PATH: `${lib}:${join(lib, "own")}`, FONTCONFIG_FILE: join(folder, "fonts.conf") },
  });
  expect(said).toEqual([`Chromium is not installed yet; it goes into ${folder} (120 MB to fetch).`, "Unpacked chromium_1.deb and 1 more."]);
  expect(findBrowser({ root, env: env() })).toEqual({ ...browser, source: "cache" });
});

test("where no source has one, each is named with why, and nothing is left behind", async () => {
  program("apt-get", 'echo "E: Unable to locate package chromium" >&2; exit 100');
  await expect(ensureBrowser({ root, env: env(), progress })).rejects.toThrow(
    "No Chromium is to be had. The PATH has none of chromium, chromium-browser, google-chrome, google-chrome-stable. " +
      `${join(root, ".cache", "chromium")} has none. No Debian package: E: Unable to locate package chromium.`,
  );
  expect(findBrowser({ root, env: env() })).toBeUndefined();
});
