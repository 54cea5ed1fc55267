import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { findPrometheus } from "../../../tools/prometheus/install.ts";
import { startPrometheus, type Prometheus } from "../../../tools/prometheus/run.ts";

const binary = findPrometheus();
const why = binary === undefined ? " (no Prometheus here: npm test installs one)" : "";

describe.skipIf(binary === undefined)(`[T3] a real Prometheus${why}`, () => {
  let target: Server;
  let prometheus: Prometheus;

  beforeAll(async () => {
    target = createServer((_request, response) => response.end("sessions 7\n")).listen(0, "127.0.0.1");
    await once(target, "listening");
    const address = `127.0.0.1:${(target.address() as AddressInfo).port}`;
    prometheus = await startPrometheus({
      configuration: {
        global: { scrape_interval: "1s" },
        scrape_configs: [{ job_name: "node", static_configs: [{ targets: [address] }] }],
      },
    });
  });
  afterAll(async () => {
    await prometheus?.stop();
    target?.close();
  });

  test("scrapes a target within seconds and answers queries", async () => {
    await vi.waitFor(async () => expect(await prometheus.query("sessions")).toMatchObject([{ value: [expect.anything(), "7"] }]), {
      timeout: 15_000,
      interval: 200,
    });
  });

  test("does not answer while it is ended, and knows what it knew when it is back", async () => {
    await prometheus.end();
    await expect(prometheus.query("sessions")).rejects.toThrow("fetch failed");
    await prometheus.startAgain();
    expect(await prometheus.query("last_over_time(sessions[5m])")).toHaveLength(1);
  });

  test("leaves no folder when it is stopped, and says why when it cannot start", async () => {
    await prometheus.stop();
    expect(existsSync(prometheus.folder)).toBe(false);
    await expect(startPrometheus({ configuration: { no_such_key: 1 } })).rejects.toThrow(/no_such_key/);
  });
});
