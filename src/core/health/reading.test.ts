import { expect, it } from "vitest";
import { readHttp, readMetrics, readPrometheus, readSessions, type Answer } from "./reading.ts";

const answer = (status: number, body: string, more: Partial<Answer> = {}): Answer => ({ status, body, milliseconds: 3.4, ...more });
const query = (data: unknown) => readPrometheus(answer(200, JSON.stringify({ status: "success", data })));
const vector = (...values: [Record<string, string>, string][]) =>
  query({ resultType: "vector", result: values.map(([metric, value]) => ({ metric, value: [1700000000.1, value] })) });

const HEALTHZ = "http://10.0.0.1:8080/healthz";

it("an HTTP check passes on 2xx only; a redirect fails", () => {
  expect(readHttp(answer(204, ""), HEALTHZ)).toEqual({ ok: true, detail: `GET ${HEALTHZ} answered 204 in 3 ms` });
  expect(readHttp(answer(302, ""), HEALTHZ)).toEqual({ ok: false, detail: `GET ${HEALTHZ} answered 302` });
  expect(readHttp(answer(503, "draining\n"), HEALTHZ)).toEqual({ ok: false, detail: `GET ${HEALTHZ} answered 503` });
});

it("[G12] [P9] the evidence of an HTTP check is what was asked and the status; of the body not a word, and of an address 120 characters", () => {
  const page = answer(500, "aws_secret_access_key = AKIAIOSFODNN7EXAMPLE\nmore\n");
  expect(readHttp(page, HEALTHZ)).toEqual({ ok: false, detail: `GET ${HEALTHZ} answered 500` });
  expect(readHttp({ ...page, status: 404 }, HEALTHZ)).toEqual({ ok: false, notFound: true, detail: `GET ${HEALTHZ} answered 404` });
  const long = readHttp(page, `${HEALTHZ}?\u001b[31m${"q".repeat(2_000)}`).detail;
  expect(long).toMatch(/^GET http:\/\/10\.0\.0\.1:8080\/healthz\? \[31mq+… answered 500$/);
  expect(long).toHaveLength(120 + " answered 500".length);
});

it("[P9] no answer is silence, a refusal is not", () => {
  expect(readHttp(answer(0, "no answer within 1 s"), HEALTHZ)).toEqual({
    ok: false,
    silent: true,
    detail: `GET ${HEALTHZ}: no answer within 1 s`,
  });
  expect(readHttp(answer(0, "connection refused", { refused: true }), HEALTHZ)).toEqual({
    ok: false,
    refused: true,
    detail: `GET ${HEALTHZ}: connection refused`,
  });
});

it("Prometheus: a vector gives one value a series, with NaN and infinities; a scalar gives one", () => {
  expect(vector([{ node: "n1" }, "0.5"], [{ __name__: "up", node: "n2" }, "NaN"], [{}, "+Inf"])).toEqual({
    ok: true,
    values: [0.5, Number.NaN, Infinity],
    series: ['{node="n1"}', '{__name__="up",node="n2"}', "{}"],
    detail: "3 series",
  });
  expect(query({ resultType: "scalar", result: [1700000000, "7"] })).toMatchObject({ ok: true, values: [7] });
  expect(vector()).toMatchObject({ ok: true, values: [] });
});

it.each([
  ["a range", { resultType: "matrix", result: [] }],
  ["a string", { resultType: "string", result: [1, "x"] }],
  ["a native histogram", { resultType: "vector", result: [{ metric: {}, histogram: [1, { count: "2" }] }] }],
  ["a value that is no text", { resultType: "vector", result: [{ metric: {}, value: [1, 0.5] }] }],
  ["a value that is no number", { resultType: "vector", result: [{ metric: {}, value: [1, "many"] }] }],
  ["more than 1000 series", { resultType: "vector", result: Array.from({ length: 1001 }, () => ({ metric: {}, value: [1, "0"] })) }],
  ["nothing", undefined],
])("[G9] Prometheus: %s is unreadable", (_, data) => {
  expect(query(data)).toMatchObject({ ok: false, unreadable: true });
});

it.each([
  [answer(503, "Service Unavailable")],
  [answer(200, "<html>")],
  [answer(200, '{"status":"success"}')],
  [answer(0, "no answer within 1 s")],
  [answer(422, '{"status":"error","errorType":"execution","error":"too many samples"}')],
  [answer(200, '{"status":"success","data":{', { truncated: true })],
])("[G9] Prometheus: an answer that is none is unreadable and no verdict on the query", (given) => {
  const result = readPrometheus(given);
  expect(result).toMatchObject({ ok: false, unreadable: true });
  expect(result).not.toHaveProperty("invalidQuery");
});

it("Prometheus: a query that does not parse is told apart, with Prometheus' own words", () => {
  const body =
    '{"status":"error","errorType":"bad_data","error":"invalid parameter \\"query\\": 1:6: parse error: unclosed left parenthesis"}';
  expect(readPrometheus(answer(400, body))).toEqual({
    ok: false,
    unreadable: true,
    invalidQuery: true,
    detail: 'the query does not parse: invalid parameter "query": 1:6: parse error: unclosed left parenthesis',
  });
});

it("[G12] Prometheus: of any other error its type is the evidence; of a page that is none of Prometheus' not a word", () => {
  const error = (fields: object) => readPrometheus(answer(500, JSON.stringify({ status: "error", ...fields }))).detail;
  expect(error({ errorType: "execution", error: "secret" })).toBe("answered 500: execution");
  expect(error({ errorType: "secret", error: "secret" })).toBe("answered 500: no answer of Prometheus");
  expect(readPrometheus(answer(401, "secret")).detail).toBe("answered 401: no answer of Prometheus");
});

it("[G9] a metrics page that was cut, or no page, is unreadable: what is missing would read as zero", () => {
  expect(readMetrics(answer(200, "a 1\nb 2"), ["a"])).toEqual({
    ok: true,
    metrics: [{ name: "a", labels: {}, value: 1 }],
    detail: "1 samples",
  });
  expect(readMetrics(answer(200, "a 1", { truncated: true }), ["a"])).toMatchObject({ ok: false, unreadable: true });
  expect(readMetrics(answer(404, "a 1"), ["a"])).toMatchObject({ ok: false, unreadable: true });
});

it("session ids come as a list or under `sessions`; anything else is unreadable", () => {
  expect(readSessions(answer(200, '["a",7]'))).toMatchObject({ ok: true, sessions: ["a", "7"] });
  expect(readSessions(answer(200, '{"sessions":[]}'))).toMatchObject({ ok: true, sessions: [] });
  for (const body of ['{"count":3}', "[[]]", "null", "", '"a"'])
    expect(readSessions(answer(200, body))).toMatchObject({ ok: false, unreadable: true });
});
