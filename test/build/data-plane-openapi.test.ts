import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { VirtualClock } from "../../src/simulation/clock.ts";
import { readImage } from "../../src/simulation/nodes/behaviour.ts";
import { DataPlane } from "../../src/simulation/nodes/data-plane.ts";
import { DataPlaneHttp } from "../../src/simulation/nodes/data-plane-http.ts";

interface Operation {
  readonly responses: Readonly<Record<string, unknown>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly responses: {
      readonly Refused: { readonly content: { readonly "application/json": { readonly schema: { readonly allOf: readonly unknown[] } } } };
    };
  };
}

const document = parse(readFileSync(join(import.meta.dirname, "../../docs/data-plane.openapi.yaml"), "utf8")) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { responses }]) => ({ method: method.toUpperCase(), path, declared: Object.keys(responses) })),
);
const instance = { podUID: "pod-1", containerID: "containerd://c1" };

async function dataPlane(): Promise<DataPlaneHttp> {
  const clock = new VirtualClock(Date.parse("2026-11-22T01:00:00Z"));
  const { behaviour, version } = readImage("registry.example/pop:2.0.0");
  const plane = new DataPlane({ identity: { node: "tyo-n1", pop: "tyo", version, ...instance }, behaviour, clock });
  await clock.advance(10_000);
  return new DataPlaneHttp(plane);
}

it("the OpenAPI file describes what the simulated data plane serves, and nothing else", async () => {
  const http = await dataPlane();
  const { message } = JSON.parse(http.answer({ method: "GET", path: "/", body: "" }).body) as { message: string };
  const served = message.replace(/^.*there are /, "").split(", ");
  expect(operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(served.toSorted());
});

it.each([
  ["GET", "/healthz", undefined, "200"],
  ["GET", "/healthz?content", undefined, "200"],
  ["GET", "/metrics", undefined, "200"],
  ["GET", "/sessions", undefined, "200"],
  ["GET", "/content", undefined, "200"],
  ["POST", "/drain", { token: "a", sequence: 1, lease: "2m", ...instance }, "200"],
  ["POST", "/drain", { token: "a", lease: "2 minutes", ...instance }, "400"],
  ["POST", "/drain", { token: "a", lease: "2m", ...instance, podUID: "pod-0" }, "409"],
  ["POST", "/undrain", { token: "a", ...instance }, "200"],
  ["POST", "/undrain", { token: "a" }, "400"],
  ["POST", "/undrain", { token: "a", ...instance, containerID: "c0" }, "409"],
  ["POST", "/content", { version: "sig.418", source: { configMapRef: { name: "signatures" } } }, "200"],
  ["POST", "/content", { version: "sig.418-needs-restart", source: {} }, "409"],
  ["POST", "/content", { source: {} }, "400"],
])("%s %s with %j answers %s, and the file says so", async (method, path, body, status) => {
  const http = await dataPlane();
  const answer = http.answer({ method, path, body: body === undefined ? "" : JSON.stringify(body) });
  expect(String(answer.status)).toBe(status);
  const operation = operations.find((one) => one.method === method && one.path === path.split("?")[0]);
  expect(operation?.declared).toContain(status);
});

it("[G5a] every refusal of a drain that the file names is given", async () => {
  const http = await dataPlane();
  const post = (path: string, body: object): string | undefined =>
    (JSON.parse(http.answer({ method: "POST", path, body: JSON.stringify(body) }).body) as { reason?: string }).reason;
  const order = (token: string, sequence: number) => ({ token, sequence, lease: "2m", ...instance });
  expect(post("/drain", order("a", 5))).toBeUndefined();
  const reasons = [
    post("/drain", { ...order("a", 5), containerID: "c0" }),
    post("/drain", order("b", 4)),
    post("/drain", { token: "c", lease: "2m", ...instance }),
    post("/undrain", order("a", 5)) ?? post("/drain", order("a", 5)),
  ];
  expect(reasons).toEqual(["AnotherInstance", "Older", "HeldByAnother", "Cancelled"]);
  const named = JSON.stringify(document.components.responses.Refused.content["application/json"].schema.allOf);
  for (const reason of reasons) expect(named).toContain(`"${reason}"`);
});
