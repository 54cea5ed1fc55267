import { afterEach, expect, it } from "vitest";
import type { HealthReport } from "../runtime/health.ts";
import { createMetrics } from "./metrics.ts";
import { startTelemetryServer, type TelemetryServer } from "./server.ts";

let server: TelemetryServer | undefined;
let ready: HealthReport = { ok: true, problems: [] };

afterEach(() => server?.close());

async function get(path: string, method = "GET"): Promise<{ status: number; type: string | null; text: string }> {
  server ??= await startTelemetryServer({
    address: { host: "127.0.0.1", port: 0 },
    metrics: createMetrics(),
    liveness: () => ({ ok: true, problems: [] }),
    readiness: () => ready,
  });
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}

it("readyz says line by line what is not ready, livez does not depend on it", async () => {
  ready = { ok: false, problems: ["cache nodes: not synced", "leader: nobody leads"] };
  expect(await get("/readyz?verbose")).toMatchObject({ status: 503, text: "cache nodes: not synced\nleader: nobody leads\n" });
  expect(await get("/livez")).toMatchObject({ status: 200, text: "ok\n" });
  ready = { ok: true, problems: [] };
  expect(await get("/readyz")).toMatchObject({ status: 200, text: "ok\n" });
  await server?.close();
  server = undefined;
});

it("metrics are OpenMetrics: typed without the suffix, ended by EOF; other paths and verbs are answered", async () => {
  const page = await get("/metrics");
  expect(page.type).toMatch(/^application\/openmetrics-text/);
  expect(page.text).toMatch(/# TYPE rollward_window_breach counter\nrollward_window_breach_total 0\n/);
  expect(page.text.endsWith("# EOF\n")).toBe(true);
  expect((await get("/")).status).toBe(404);
  expect((await get("/metrics", "POST")).status).toBe(405);
  await server?.close();
  server = undefined;
});
