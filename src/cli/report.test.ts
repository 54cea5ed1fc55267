import { beforeEach, expect, it } from "vitest";
import { POP_CLUSTER, POP_ROLLOUT } from "../api/resources.ts";
import { twoSundays } from "../core/explain/report/report.examples.ts";
import { registerExplain, Terminal } from "./cli.examples.ts";
import { registerReport } from "./report.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
let terminal: Terminal;
let printed: string;
let complaint: string;
let code: number | undefined;
let files: Map<string, string>;

beforeEach(async () => {
  terminal = new Terminal({
    now: NOW,
    commands: (program, io) => {
      registerExplain(program, io);
      registerReport(program, io, async (path, text) => {
        if (path.startsWith("missing/")) throw new Error("ENOENT");
        files.set(path, text);
      });
    },
  });
  const { cluster } = terminal;
  const { rollout, pops } = twoSundays({ evidence: "5xx over 5 %" });
  const bare = ({ name, namespace }: { name: string; namespace?: string }) => ({ name, namespace });
  const uids = new Map<string, string>();
  for (const pop of pops) {
    const { status, ...draft } = pop;
    const created = await cluster.create(POP_CLUSTER, { ...draft, metadata: bare(pop.metadata) } as never);
    uids.set(pop.metadata.name, created.metadata.uid);
    await cluster.updateStatus(POP_CLUSTER, { ...created, status } as never);
  }
  const { status, ...draft } = rollout;
  const created = await cluster.create(POP_ROLLOUT, { ...draft, metadata: bare(rollout.metadata) } as never);
  const assignments = status?.assignments?.map((one) => ({ ...one, uid: uids.get(one.pop)! }));
  await cluster.updateStatus(POP_ROLLOUT, { ...created, status: { ...status, assignments } });
});

async function rollward(...words: readonly string[]): Promise<void> {
  files = new Map();
  await terminal.run(words);
  ({ printed, complaint, code } = terminal);
}

it("report prints Markdown, and says aside that the rollout is in progress", async () => {
  await rollward("report", "popro/r-2026-11-2");
  expect([code, complaint]).toEqual([0, "PoPRollout r-2026-11-2 is in progress: the report says how it stands at 2026-11-30T12:00:00Z\n"]);
  expect(printed).toMatch(/^# PoPRollout r-2026-11-2: 2026\.11\.2\n/);
  expect(printed).toContain("| akl1 | rest | Skipped |");
  expect(printed).toMatch(/\| lhr1 \| rest \| Rolling \| 1 \|/);
});

it("report -o html --file writes the page and prints nothing; -o json is data", async () => {
  await rollward("report", "r-2026-11-2", "-o", "html", "--file", "report.html");
  expect([code, printed]).toEqual([0, ""]);
  expect(files.get("report.html")).toMatch(/^<!DOCTYPE html>[^]*<svg[^]*<\/html>\n$/);
  await rollward("report", "r-2026-11-2", "-o", "json");
  expect((JSON.parse(printed) as { inProgress: boolean; skipped: object[] }).skipped).toHaveLength(1);
});

it.each([
  [["report", "popro/r-2026-11-3"], 4, "there is no PoPRollout r-2026-11-3 in namespace fleet; did you mean r-2026-11-2?\n"],
  [["report", "pop/fra1"], 2, "this is not possible with a PoPCluster; write PoPRollout/NAME\n"],
  [
    ["report", "r-2026-11-2", "--file", "missing/x.html"],
    2,
    "--file missing/x.html cannot be written (ENOENT); name a file in a folder that exists, or leave --file out to print the report\n",
  ],
  [["explain", "pop/lhr1/n2"], 4, "PoPCluster lhr1 has no node n2; did you mean n1?\n"],
  [["explain", "popro/r-2026-11-2/canari"], 4, "PoPRollout r-2026-11-2 has no wave canari; did you mean canary?\n"],
  [
    ["explain", "fleet/a/b"],
    2,
    '"fleet/a/b" names nothing; write PoPCluster/NAME, PoPRollout/NAME, fleet, MaintenanceWindow/NAME, Approval/NAME, TunnelSite/NAMESPACE/NAME, SocketSite/NAMESPACE/NAME, SocketRollout/NAME, ClientRollout/NAME, policy/NAMESPACE\n',
  ],
])("%j ends with %d and a sentence", async (words, expected, sentence) => {
  await rollward(...words);
  expect([code, complaint]).toEqual([expected, sentence]);
});

it("an unknown format is refused before anything is asked", async () => {
  await expect(rollward("report", "r-2026-11-2", "-o", "pdf")).rejects.toThrow("Allowed choices are markdown, html, json");
});

it("[G2] explain tells of one node, and of one wave with what its PoPs wait for", async () => {
  await rollward("explain", "pop/lhr1/n1");
  expect(code).toBe(0);
  expect(printed).toMatch(/^Node n1 of PoPCluster lhr1 runs 2026\.11\.1, revision r1|^Node n1 of PoPCluster lhr1 runs revision r1/);
  expect(printed).toContain(
    "1. OutsideWindow (rule W4): sunday is closed; not before Sunday 2026-12-06 01:00 Europe/London (2026-12-06T01:00:00Z)",
  );
  await rollward("explain", "popro/r-2026-11-2/rest");
  expect(printed).toContain("lhr1 1. OutsideWindow (rule W4): sunday is closed; not before Sunday 2026-12-06 01:00 Europe/London");
});
