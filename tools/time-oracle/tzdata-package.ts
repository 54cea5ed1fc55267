import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** `2026c` → `2026.3`: PyPI counts the releases of a year where IANA letters them. */
export function pypiVersion(ianaVersion: string): string {
  const [, year, letter] = /^(\d{4})([a-z])$/.exec(ianaVersion) ?? [];
  if (year === undefined || letter === undefined)
    throw new RangeError(`${ianaVersion} is no version of the tz database, expected one like 2026c`);
  return `${year}.${letter.charCodeAt(0) - "a".charCodeAt(0) + 1}`;
}

/**
 * The folder of PyPI's `tzdata` in the version of the runtime's own zone data, fetched by pip into the cache when it is not there yet.
 * Undefined when it cannot be had (no Python, no pip, no registry); `why` is told.
 */
export async function tzdataFolder(cache: string, ianaVersion: string, why: (sentence: string) => void): Promise<string | undefined> {
  const folder = join(cache, `tzdata-${ianaVersion}`);
  if (existsSync(join(folder, "tzdata", "zoneinfo"))) return folder;
  // Filled beside and then renamed, so that an interrupted fetch leaves no half folder that looks whole.
  const partial = `${folder}.${process.pid}`;
  await mkdir(dirname(folder), { recursive: true });
  const requirement = `tzdata==${pypiVersion(ianaVersion)}`;
  try {
    await run(
      "python3",
      ["-m", "pip", "install", "--quiet", "--no-deps", "--no-input", "--disable-pip-version-check", "--target", partial, requirement],
      {
        timeout: 30_000,
      },
    );
    await rename(partial, folder);
    return folder;
  } catch (error) {
    if (existsSync(join(folder, "tzdata", "zoneinfo"))) return folder;
    why(`pip could not fetch ${requirement}: ${error instanceof Error ? error.message.split("\n").slice(0, 2).join(" ") : String(error)}`);
    return undefined;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
