import { describe, expect, it } from "vitest";
import { durationText } from "./duration-text.ts";
import { reportHtml } from "./html.ts";
import { reportMarkdown } from "./markdown.ts";
import { twoSundays } from "./report.examples.ts";
import { reportOf } from "./report.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const HOUR = 3_600_000;
const report = (changes: Parameters<typeof twoSundays>[0] = {}) => reportOf(twoSundays(changes), NOW);

describe("a report", () => {
  it("splits the time of each PoP, waves in their order; of fra1's two Sundays 6 days and 20 h were the window's", () => {
    const { pops, sum } = report().durations;
    const table = pops.map(({ pop, nodes, toBegin, working, window, people, soaking, total }) =>
      [pop, nodes, toBegin, working, window, people, soaking, total].map((one) =>
        typeof one === "number" && one > 1000 ? durationText(one) : one,
      ),
    );
    expect(table).toEqual([
      ["fra1", 12, "2 d", "3 h", "6 d 20 h", 0, "1 h", "7 d"],
      ["akl1", undefined, 0, 0, 0, 0, 0, 0],
      ["ams1", 4, "30 min", "50 min", 0, "10 min", 0, "1 h"],
      ["lhr1", 1, "1 h 30 min", "1 h", 0, 0, 0, "1 h"],
    ]);
    expect(sum).toMatchObject({
      working: 4 * HOUR + 50 * 60_000,
      window: 164 * HOUR,
      people: 10 * 60_000,
      soaking: HOUR,
      total: 170 * HOUR,
    });
  });

  it("names who failed, with the evidence, and who was skipped, with the reason, in UTC and where the PoP is", () => {
    const { failed, skipped } = report({ evidence: "5xx over 5 %" });
    const since = "Sunday 2026-11-29 03:00 Europe/Amsterdam (2026-11-29T02:00:00Z)";
    expect(failed).toEqual([{ pop: "ams1", wave: "rest", state: "RolledBack", since, why: "5xx over 5 %" }]);
    expect(skipped).toEqual([
      {
        pop: "akl1",
        wave: "rest",
        state: "Skipped",
        since: "Sunday 2026-11-29 13:30 Pacific/Auckland (2026-11-29T00:30:00Z)",
        why: "PinnedByPerson: a person pinned 2026.10.9",
      },
    ]);
  });

  it("tells what happened in order of time, each PoP in its own zone", () => {
    const { timeline } = report({ evidence: "5xx" });
    expect(timeline.map(({ at }) => at)).toEqual(timeline.map(({ at }) => at).toSorted());
    expect(timeline.map(({ what }) => what)).toEqual([
      "release@example.com asked for it",
      "it was announced",
      "stage ci is Passed: 200 of https://ci.example.com/2026.11.2",
      "wave canary opens with 1 PoP",
      "PoP fra1 begins with 12 nodes",
      "wave canary is over",
      "PoP fra1 has passed",
      "second@example.com approves Promote: canary is fine",
      "wave rest opens with 2 PoPs, approved by second@example.com",
      "PoP akl1 is skipped: PinnedByPerson: a person pinned 2026.10.9",
      "PoP ams1 begins with 4 nodes",
      "PoP ams1 ended RolledBack: 5xx",
      "PoP lhr1 begins with 1 node",
      "PoP fra1 ended Promoted",
    ]);
    expect(timeline[4]).toMatchObject({ at: "2026-11-22T00:00:00Z", local: "Sunday 2026-11-22 01:00 Europe/Berlin", pop: "fra1" });
    expect(timeline[3]?.local).toBeUndefined();
  });

  it("says that it is in progress and until when the time is accounted; when the rollout is over neither", () => {
    const going = report();
    expect(going.inProgress).toBe(true);
    expect(going.summary).toContain("It is in progress: this is how it stood 2026-11-30T12:00:00Z.");
    expect(going.summary).toContain("Freeze black-friday lay in its dates: 2026-11-27 to 2026-11-28, both included: sales.");
    expect(going.durations.pops.at(-1)?.accountedUntil).toBe("Sunday 2026-11-29 03:00 Europe/London (2026-11-29T03:00:00Z)");
    const over = report({ rollout: { outcome: "Completed", endedAt: "2026-12-06T00:00:00Z", standing: true } });
    expect(over.inProgress).toBe(false);
    expect(over.summary.join(" ")).not.toContain("in progress");
  });

  it("shows evidence of stages, verdicts and checks, and the Approvals of this rollout alone", () => {
    const { evidence, approvals } = report({ evidence: "5xx" });
    expect(evidence.map(({ of, found, text }) => [of, found, text])).toEqual([
      ["stage ci", "Passed", "200 of https://ci.example.com/2026.11.2"],
      ["PoP ams1", "Failed", "5xx"],
      ["PoP lhr1", "Healthy", "its check is healthy"],
    ]);
    expect(approvals.map(({ by, decision, used }) => [by, decision, used])).toEqual([
      ["second@example.com", "Approve", ["Promote for wave rest, 2026-11-29T00:30:00Z"]],
    ]);
  });

  it("[F1] [F8] says what keeps it from being carried out, and of an Approval that nothing used why", () => {
    const subject = twoSundays();
    const wrong = (type: string, reason: string, message: string) => ({
      conditions: [{ type, status: "False" as const, reason, message, lastTransitionTime: "2026-11-22T00:00:00Z" }],
    });
    const { rollout, approvals } = subject;
    const status = { ...rollout.status, ...wrong("Accepted", "WavesInvalid", "wave rest covers nobody; leave it out") };
    const unused = { ...approvals[0]!, status: wrong("Accepted", "Expired", "it expired before anything used it") };
    const text = reportMarkdown(reportOf({ ...subject, rollout: { ...rollout, status }, approvals: [unused] }, NOW));
    expect(text).toContain("- Accepted is False (WavesInvalid): wave rest covers nobody; leave it out");
    expect(text).toContain("| not used: it expired before anything used it |");
  });

  it("[G6] a new PoPCluster under the old name is another PoP, and the report says that the times are gone", () => {
    const subject = twoSundays();
    const pops = subject.pops.map((pop) => ({ ...pop, metadata: { ...pop.metadata, uid: "new" } }));
    const { durations } = reportOf({ ...subject, pops }, NOW);
    expect(durations.sum.total).toBe(0);
    expect(durations.pops[0]?.note).toContain("does not exist any more");
  });

  it("of a rollout that nobody has looked at says so, and every section says that it is empty", () => {
    const { rollout } = twoSundays();
    const { status: _, ...bare } = rollout;
    const text = reportMarkdown(reportOf({ rollout: bare, pops: [], approvals: [] }, NOW));
    for (const sentence of [
      "no operator has looked at it",
      "No PoP has been assigned yet.",
      "No PoP failed.",
      "Nobody approved or refused anything.",
    ])
      expect(text).toContain(sentence);
  });
});

describe("as Markdown", () => {
  it("[G12] what others wrote is text: no markup, no line of its own, no cell of its own", () => {
    const text = reportMarkdown(report());
    expect(text).not.toContain("<script>");
    expect(text).not.toContain("**bold**");
    expect(text).not.toMatch(/^# not a heading/m);
    const rows = text.split("\n").filter((line) => line.includes("RolledBack: ") || line.startsWith("| ams1 | rest | RolledBack"));
    expect(rows.length).toBeGreaterThan(0);
    for (const table of text.split(/\n\n/).filter((part) => part.startsWith("|"))) {
      const columns = table.split("\n").map((line) => line.replaceAll(/\\./g, "").split("|").length);
      expect(new Set(columns).size).toBe(1);
    }
  });
});

describe("as HTML", () => {
  it("[G12] is well-formed, loads nothing, runs nothing, and what others wrote is text", () => {
    const page = reportHtml(report());
    expect(tagsLeftOpen(page)).toEqual([]);
    expect(page).not.toMatch(/<script|javascript:|\son\w+=|<link|<img|@import|src=/i);
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    // eslint-disable-next-line no-control-regex
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it("draws a bar for each PoP that took time, each cause once, with a title and a description, and the table beside it", () => {
    const page = reportHtml(report());
    const chart = page.slice(page.indexOf("<figure>"), page.indexOf("</figure>"));
    expect(chart).toContain('role="img" aria-labelledby="chart-title" aria-describedby="chart-desc"');
    expect(chart).toContain('<span id="chart-desc">3 PoPs; the longest, fra1, took 7 d.');
    expect(chart.match(/<title>[^<]+<\/title>/g)).toEqual([
      "<title>fra1: 3 h working</title>",
      "<title>fra1: 6 d 20 h waiting for windows</title>",
      "<title>fra1: 1 h soaking and baking</title>",
      "<title>ams1: 50 min working</title>",
      "<title>ams1: 10 min waiting for people</title>",
      "<title>lhr1: 1 h working</title>",
    ]);
    // As long as the time it stands for: 7 days end at the last tick, and the parts of a bar touch.
    const bars = [...chart.matchAll(/class="bar (\w+)" x="([\d.]+)%" y="3" width="([\d.]+)%"/g)]
      .slice(0, 3)
      .map(([, cause, x, width]) => ({ cause, from: Number(x), width: Number(width) }));
    expect(bars.map(({ cause }) => cause)).toEqual(["working", "window", "soaking"]);
    expect(bars[1]!.from).toBeCloseTo(bars[0]!.from + bars[0]!.width, 1);
    expect(bars[1]!.width / bars[0]!.width).toBeCloseTo(164 / 3, 0);
    expect(bars[2]!.from + bars[2]!.width).toBeCloseTo(100, 1);
    expect(page).toContain('<th scope="row">fra1</th>');
    expect(page).toContain("prefers-color-scheme: dark");
  });

  it("draws nothing where no PoP took time, and at most 200 bars", () => {
    const subject = twoSundays();
    expect(reportHtml(reportOf({ ...subject, pops: [] }, NOW))).not.toContain("<svg");
    const one = report();
    const pops = Array.from({ length: 250 }, (_, index) => ({ ...one.durations.pops[0]!, pop: `p${index}` }));
    const page = reportHtml({ ...one, durations: { ...one.durations, pops } });
    expect(page.match(/<div class="row">/g)).toHaveLength(200);
    expect(page).toContain("50 more PoPs stand in the table only.");
  });
});

it.each([
  [0, "0 s"],
  [59_999, "59 s"],
  [65_000, "1 min 5 s"],
  [3_600_000, "1 h"],
  [590_400_000, "6 d 20 h"],
])("%d ms are %s", (milliseconds, text) => expect(durationText(milliseconds)).toBe(text));

/** Elements that do not close in the order in which they opened, and attributes without quotes: an XML parser would stop there. */
function tagsLeftOpen(page: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const text = page.replace("<!DOCTYPE html>", "").replace(/<style>[^<]*<\/style>/, "");
  for (const [tag, close, name, attributes, self] of text.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:\s[^<>]*?)?)(\/?)>/g)) {
    if (close === "/") {
      if (open.pop() !== name) problems.push(tag);
      continue;
    }
    if (attributes!.replaceAll(/\s[\w:-]+="[^"<]*"/g, "") !== "") problems.push(tag);
    if (self !== "/") open.push(name!);
  }
  const rest = text.replaceAll(/<\/?[a-zA-Z][^<>]*>/g, "");
  if (/[<>]|&(?!amp;|lt;|gt;|quot;|#39;)/.test(rest)) problems.push("a sign that is not escaped");
  return [...problems, ...open];
}
