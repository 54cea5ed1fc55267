import { describe, expect, it } from "vitest";
import type { RolloutStage } from "../../api/pop-rollout.ts";
import type { ProbeResult } from "../health/probe.ts";
import { evidenceOf, stageProbe } from "./evidence.ts";

const http: RolloutStage = { name: "ci", check: { http: { url: "https://ci.example.com/${version}" } } };
const prometheus = (check: object = {}): RolloutStage => ({
  name: "errors",
  check: { prometheus: { query: 'errors{version="${version}"}', passIf: "<= 0.01", failIf: "> 0.05", ...check } },
});

function verdictOf(stage: RolloutStage, result: ProbeResult, ageMilliseconds = 1_000) {
  const probe = stageProbe(stage, "2026.11.2", "http://prometheus:9090")!;
  const samples = new Map([[probe.key, [{ ageMilliseconds, result }]]]);
  return evidenceOf([stage], "2026.11.2", samples, "http://prometheus:9090").get(stage.name);
}

describe("[F9] evidence of another system", () => {
  it.each<[string, ProbeResult, string, string]>([
    ["2xx passes", { ok: true, detail: "200 in 3 ms" }, "Passed", "GET https://ci.example.com/2026.11.2 answered yes"],
    ["404 is not there yet", { ok: false, notFound: true, detail: "404" }, "NotYet", "answered 404: no result yet"],
    ["another answer fails", { ok: false, detail: "GET x answered 409: tests failed" }, "Failed", "GET x answered 409: tests failed"],
    ["silence is no evidence", { ok: false, silent: true, detail: "no answer" }, "Unknown", "is not answered"],
    ["a refused connection is no evidence", { ok: false, refused: true, detail: "refused" }, "Unknown", "is not answered"],
  ])("http: %s", (_, result, verdict, words) => {
    expect(verdictOf(http, result)).toMatchObject({ verdict, evidence: expect.stringContaining(words) as string });
  });

  it.each<[string, ProbeResult, string]>([
    ["a value that passes", { ok: true, values: [0.004], detail: "" }, "Passed"],
    ["a value that fails", { ok: true, values: [0.2], detail: "" }, "Failed"],
    ["a value between", { ok: true, values: [0.03], detail: "" }, "NotYet"],
    ["no value yet", { ok: true, values: [], detail: "" }, "NotYet"],
    ["several series", { ok: true, values: [0, 0], detail: "" }, "Unknown"],
    ["NaN", { ok: true, values: [Number.NaN], detail: "" }, "Unknown"],
    ["a query that does not parse", { ok: false, unreadable: true, invalidQuery: true, detail: "parse error" }, "Unknown"],
  ])("prometheus: %s", (_, result, verdict) => {
    expect(verdictOf(prometheus(), result)?.verdict).toBe(verdict);
  });

  it("without failIf whatever does not pass has failed; a comparison that cannot be read is unknown", () => {
    expect(verdictOf(prometheus({ failIf: undefined }), { ok: true, values: [0.03], detail: "" })?.verdict).toBe("Failed");
    expect(verdictOf(prometheus({ passIf: "below 1" }), { ok: true, values: [0.03], detail: "" })?.verdict).toBe("Unknown");
  });

  it("[G9] an answer older than three intervals is no evidence, and no answer is none either", () => {
    expect(verdictOf(http, { ok: true, detail: "" }, 191_000)?.verdict).toBe("Unknown");
    expect(evidenceOf([http], "2026.11.2", new Map(), undefined).has("ci")).toBe(false);
  });

  it("the question: the version is filled in, secrets go by name, and a corrected check is another question", () => {
    const server = { url: "https://prom:9090", tokenSecretRef: { name: "token" }, caSecretRef: { name: "ca" } };
    expect(stageProbe(prometheus({ server }), "2026.11.2", undefined)).toMatchObject({
      kind: "prometheus",
      url: "https://prom:9090",
      query: 'errors{version="2026.11.2"}',
      tokenSecret: "token",
      caSecret: "ca",
    });
    expect(stageProbe(prometheus(), "2026.11.2", undefined)).toBeUndefined();
    expect(evidenceOf([prometheus()], "2026.11.2", new Map(), undefined).get("errors")?.evidence).toContain("no Prometheus is configured");
    expect(stageProbe(prometheus(), "2026.11.2", "http://a")!.key).not.toBe(
      stageProbe(prometheus({ passIf: "< 1" }), "2026.11.2", "http://a")!.key,
    );
  });
});
