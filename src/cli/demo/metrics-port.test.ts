import { expect, it } from "vitest";
import { Refusal } from "../refusal.ts";
import { metricsPort, offerMetrics } from "./metrics-port.ts";
import type { DemoPorts } from "./ports.ts";

it.each(["0", "65536", "-1", "9464x", "", "1e3"])("--metrics %j is no port, and the refusal says what to write", (text) => {
  expect(() => metricsPort(text)).toThrow(Refusal);
  expect(() => metricsPort(text)).toThrow("write a number from 1 to 65535, for example 9464");
});

const portsWith = (openExporter: DemoPorts["openExporter"]) => ({ openExporter }) as DemoPorts;

it.each([
  ["EADDRINUSE", "something else listens there"],
  ["EACCES", "EACCES"],
])("a port that cannot be had (%s) is refused before anything is played", async (code, found) => {
  const ports = portsWith(() => Promise.reject(Object.assign(new Error("listen"), { code })));
  const said: string[] = [];
  const offered = offerMetrics({ out: (text) => void said.push(text) }, ports, 9464);
  await expect(offered).rejects.toThrow(`--metrics 9464: 127.0.0.1:9464 cannot be served (${found}); write another port`);
  expect(said).toEqual([]);
});

it("a port that can be had is given back for the first act, and named", async () => {
  let open = 0;
  const exporter = { close: () => Promise.resolve(void open--) } as unknown as Awaited<ReturnType<DemoPorts["openExporter"]>>;
  const said: string[] = [];
  await offerMetrics(
    { out: (text) => void said.push(text) },
    portsWith(() => Promise.resolve((open++, exporter))),
    9464,
  );
  expect(open).toBe(0);
  expect(said.join("")).toContain("http://127.0.0.1:9464/metrics");
});
