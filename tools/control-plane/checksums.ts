// npm run control-plane:checksums: the table of checksums for versions.ts, of every binary on every platform, as their
// publishers have it now. Says on stderr where a pinned checksum is another one, and ends with 1 then, or when something cannot be
// read. What it prints is what a publisher's server says, no more: decision 0006 tells how it is verified before it is entered.
import { DownloadFailed } from "./download.ts";
import { RELEASED_FOR, releaseFile } from "./release.ts";
import { BINARIES, PINNED_SHA256 } from "./versions.ts";

/** Lines of the table, and a sentence for each file whose checksum is missing or is not the pinned one. */
async function publishedChecksums(env: NodeJS.ProcessEnv): Promise<{ readonly lines: string[]; readonly problems: string[] }> {
  const lines: string[] = [];
  const problems: string[] = [];
  for (const architecture of Object.values(RELEASED_FOR)) {
    for (const binary of BINARIES) {
      const { path, published } = releaseFile(binary, architecture, env);
      try {
        const sha256 = await published();
        lines.push(`  ${JSON.stringify(path)}: ${JSON.stringify(sha256)},`);
        const pinned = PINNED_SHA256[path];
        if (pinned !== undefined && pinned !== sha256)
          problems.push(`${path} is pinned as ${pinned}, and its publisher says ${sha256}: one of them is not the file that was released.`);
      } catch (error) {
        if (!(error instanceof DownloadFailed)) throw error;
        problems.push(error.message);
      }
    }
  }
  return { lines, problems };
}

const { lines, problems } = await publishedChecksums(process.env);
for (const line of lines) process.stdout.write(`${line}\n`);
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exitCode = 1;
