import { expect, it } from "vitest";
import type { ProbeResult, Sample } from "./probe.ts";
import { combine, judge, judgement, type SampledCheck } from "./verdict.ts";

const timing = { intervalMilliseconds: 2000, timeoutMilliseconds: 1000 };
const http: SampledCheck = { name: "ready", http: { port: 8080, path: "/healthz", scheme: "HTTP" }, successes: 3, failures: 2 };
const prometheus = (passIf: string, failIf?: string): SampledCheck => ({
  name: "errors",
  prometheus: { query: "rate(pop_errors_total[1m])", passIf, ...(failIf === undefined ? {} : { failIf }) },
  successes: 1,
  failures: 1,
});

const good: ProbeResult = { ok: true, detail: "200 in 3 ms" };
const bad: ProbeResult = { ok: false, detail: "answered 503" };
const silent: ProbeResult = { ok: false, detail: "no answer within 1 s", silent: true };
/** One result every two seconds, the newest half a second old. */
const every2s = (...results: ProbeResult[]): Sample[] =>
  results.map((result, index) => ({ result, ageMilliseconds: 500 + (results.length - 1 - index) * 2000 }));
const values = (...numbers: number[]): Sample[] =>
  every2s({ ok: true, detail: `${numbers.length} series`, values: numbers, series: numbers.map((_, index) => `{node="n${index + 1}"}`) });

it("[P9] three good samples in a row are Healthy, two are not yet", () => {
  expect(judge(http, every2s(good, good, good), timing).verdict).toBe("Healthy");
  const early = judge(http, every2s(good, good), timing);
  expect(early.verdict).toBe("Unknown");
  expect(early.evidence).toBe("ready: 200 in 3 ms, 2 of 3 in a row, 0.5 s ago");
});

it("[P9] two bad samples in a row are Unhealthy, one leaves the previous verdict", () => {
  expect(judge(http, every2s(good, good, good, bad), timing, "Healthy").verdict).toBe("Healthy");
  const verdict = judge(http, every2s(good, good, bad, bad), timing, "Healthy");
  expect(verdict.verdict).toBe("Unhealthy");
  expect(verdict.evidence).toBe("ready: answered 503, 2 times in a row, 0.5 s ago");
});

it("[P6] where nobody listens, or nothing answers, the verdict says for how long: a machine that goes down looks like that too", () => {
  const refused: ProbeResult = { ok: false, detail: "connection refused", refused: true };
  expect(judge(http, every2s(good, good, silent, refused, refused), timing)).toMatchObject({
    verdict: "Unhealthy",
    silent: false,
    doubtfulMilliseconds: 4_500,
  });
  expect(judge(http, every2s(good, good, refused, bad), timing).doubtfulMilliseconds).toBeUndefined();
});

it("[P9] evidence shows the query as it was asked, with the names filled in, and not the template of the spec", () => {
  const template: SampledCheck = { ...prometheus("< 0.05"), prometheus: { query: 'errors{node="${node}"}', passIf: "< 0.05" } };
  const asked = { ...timing, query: 'errors{node="fra1-3"}' };
  const { evidence, finding } = judge(template, values(0.2), asked);
  expect(evidence).toBe('errors: errors{node="fra1-3"}: {node="n1"} 0.2, asked for < 0.05, once in a row, 0.5 s ago');
  expect(finding).toBe('errors: errors{node="fra1-3"}: fails');
});

it("[P9] a blip in every second sample never adds up, however many there are", () => {
  const blips = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? bad : good));
  for (let end = 1; end <= blips.length; end += 1)
    expect(judge(http, every2s(...blips.slice(0, end)), timing, "Healthy").verdict).toBe("Healthy");
});

it("[P9] two bad samples with a pause of the sampler between them are not consecutive", () => {
  const apart: Sample[] = [
    { ageMilliseconds: 60_000, result: bad },
    { ageMilliseconds: 500, result: bad },
  ];
  expect(judge(http, apart, timing, "Healthy").verdict).toBe("Healthy");
});

it("[G9] no sample is Unknown, and the verdict that status remembers does not count", () => {
  expect(judge(http, [], timing, "Healthy")).toMatchObject({ verdict: "Unknown", evidence: "ready: no sample yet" });
});

it("[G9] a newest sample older than 3 intervals and a timeout (7 s) is Unknown", () => {
  const aged = (age: number): Sample[] =>
    every2s(good, good, good).map((one) => ({ ...one, ageMilliseconds: one.ageMilliseconds - 500 + age }));
  expect(judge(http, aged(7000), timing).verdict).toBe("Healthy");
  expect(judge(http, aged(7001), timing, "Healthy").verdict).toBe("Unknown");
});

it("[P9] a check that nothing answered says so, one that was refused does not", () => {
  expect(judge(http, every2s(silent, silent), timing)).toMatchObject({ verdict: "Unhealthy", silent: true });
  expect(judge(http, every2s(silent, bad, bad), timing)).toMatchObject({ verdict: "Unhealthy", silent: false });
});

it("[G9] every series must pass, and one that fails is named", () => {
  expect(judge(prometheus("<= 0.01"), values(0, 0.01), timing).verdict).toBe("Healthy");
  const failed = judge(prometheus("<= 0.01"), values(0, 0.25), timing);
  expect(failed.verdict).toBe("Unhealthy");
  expect(failed.evidence).toBe('errors: rate(pop_errors_total[1m]): {node="n2"} 0.25, asked for <= 0.01, once in a row, 0.5 s ago');
});

it("between passIf <= 0.01 and failIf > 0.05 the previous verdict stands", () => {
  const check = prometheus("<= 0.01", "> 0.05");
  expect(judge(check, values(0.03), timing, "Healthy").verdict).toBe("Healthy");
  expect(judge(check, values(0.03), timing).verdict).toBe("Unknown");
  expect(judge(check, values(0.03, 0.06), timing, "Healthy").verdict).toBe("Unhealthy");
});

it("[G9] an empty answer, NaN and an unreadable source are Unknown whatever was believed before", () => {
  const unreadable: ProbeResult = { ok: false, unreadable: true, detail: "answered 503: starting" };
  for (const samples of [values(), values(0, Number.NaN), every2s(unreadable), every2s(silent)]) {
    expect(judge(prometheus("<= 0.01"), samples, timing, "Healthy").verdict).toBe("Unknown");
    expect(judge(prometheus("<= 0.01"), samples, timing, "Unhealthy").verdict).toBe("Unknown");
  }
  expect(judge(http, every2s(good, good, good, unreadable), timing, "Healthy").verdict).toBe("Unknown");
});

it("[G9] a series that is NaN does not excuse another one that fails", () => {
  expect(judge(prometheus("<= 0.01"), values(Number.NaN, 0.25), timing).verdict).toBe("Unhealthy");
});

it("[G9] infinity is a number and is compared", () => {
  expect(judge(prometheus("<= 0.01"), values(Infinity), timing).verdict).toBe("Unhealthy");
  expect(judge(prometheus("> 5"), values(Infinity), timing).verdict).toBe("Healthy");
});

it("a threshold that does not parse is Unknown with the sentence", () => {
  expect(judge(prometheus("less than 3"), values(1), timing)).toMatchObject({
    verdict: "Unknown",
    evidence: 'errors: passIf "less than 3" is no comparison; write an operator and a number, for example "<= 0.01" or "> 5"',
  });
});

it("[G12] evidence has no control characters and at most 1024 characters", () => {
  const nasty = judgement("Unhealthy", `line\u001b[31m one\nline two ${"x".repeat(2000)}`);
  expect(nasty.evidence).toMatch(/^line \[31m one line two x+…$/);
  expect(nasty.evidence).toHaveLength(1024);
});

it("[P9] a summary that is Unhealthy lists all causes; doubt outweighs health; too few samples block nothing", () => {
  const [healthy, unknown, few] = [judgement("Healthy", "a"), judgement("Unknown", "b"), judgement("NotEnoughSamples", "c")];
  const causes = [judgement("Unhealthy", "d"), judgement("Unhealthy", "e", true)];
  expect(combine([healthy, unknown, ...causes])).toEqual({ verdict: "Unhealthy", evidence: "d; e", finding: "d; e", silent: false });
  expect(combine([healthy, few, unknown]).verdict).toBe("Unknown");
  expect(combine([healthy, few])).toMatchObject({ verdict: "Healthy", evidence: "a" });
  expect(combine([few]).verdict).toBe("NotEnoughSamples");
  expect(combine([])).toMatchObject({ verdict: "Healthy", evidence: "no checks are set" });
});

it("[G9] a source that has just come back has decided nothing yet, and that is its absence; after a bad answer it is the subject that wobbles", () => {
  const unreadable: ProbeResult = { ok: false, unreadable: true, detail: "answered 503: starting" };
  const read = (value: number): ProbeResult => ({ ok: true, detail: "1 series", values: [value], series: ['{node="n1"}'] });
  const check = { ...prometheus("<= 0.01"), successes: 3, failures: 2 };
  for (const good of [[read(0)], [read(0), read(0)]]) {
    const back = judge(check, every2s(unreadable, ...good), timing);
    expect([back.verdict, back.undecided]).toEqual(["Unknown", undefined]);
    expect(judge(check, every2s(read(1), ...good), timing).undecided).toBe(true);
    expect(judge(check, every2s(...good), timing).undecided).toBe(true);
  }
  expect(judge(check, every2s(unreadable, read(0), read(0), read(0)), timing).verdict).toBe("Healthy");
  expect(judge(check, every2s(unreadable, read(1)), timing).undecided, "one bad answer after it is no doubt of the source").toBe(true);
});
