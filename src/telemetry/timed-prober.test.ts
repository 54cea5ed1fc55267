import { expect, it } from "vitest";
import { createMetrics } from "./metrics.ts";
import { timedProber } from "./timed-prober.ts";

it("the time of questions is told, answered or not; of what a data plane is told to do it is not", async () => {
  const metrics = createMetrics();
  const prober = timedProber(
    {
      http: () => Promise.resolve({ status: 200, body: "", milliseconds: 20 }),
      tcp: (_, port) => Promise.resolve(port === 1 ? undefined : 30),
    },
    metrics,
  );
  const call = { url: "http://10.0.0.1/", timeoutMilliseconds: 1_000 };
  await prober.http({ ...call, method: "GET" });
  await prober.http({ ...call, method: "POST" });
  expect([await prober.tcp("10.0.0.1", 1, 1_000), await prober.tcp("10.0.0.1", 2, 1_000)]).toEqual([undefined, 30]);
  const page = await metrics.page();
  expect(page).toMatch(/^rollward_health_check_seconds_count 3$/m);
  expect(page).toMatch(/^rollward_health_check_seconds_sum 1\.05$/m);
});
