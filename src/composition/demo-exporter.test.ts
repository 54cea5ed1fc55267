import { afterEach, expect, it } from "vitest";
import type { DemoExporter } from "../cli/demo/ports.ts";
import { freePorts } from "../../tools/control-plane/ports.ts";
import { openDemoExporter } from "./demo-exporter.ts";

let exporter: DemoExporter | undefined;
afterEach(() => exporter?.close());

async function open() {
  const [port] = (await freePorts(1)) as [number];
  exporter = await openDemoExporter(port, () => 0);
  return { port, exporter, page: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text() };
}

it("what an operator in memory is asked and what devices are answered stands on the page, by the names of the real ones", async () => {
  const { exporter: opened, page } = await open();
  opened.began({
    namespace: "fleet",
    leads: () => true,
    ages: () => [
      ["Node", 4_000],
      ["Node", 9_000],
    ],
    tunnels: () => ({ dualSites: 3, pops: [] }),
  });
  opened.checkedIn("omaha", "Offer", 0.002);
  opened.called({ verb: "patch", kind: "Node", code: 409 });
  opened.noticeSent("Planned");
  const lines = (await page()).split("\n");
  expect(lines).toContain("rollward_leader 1");
  expect(lines).toContain('rollward_watch_bookmark_age_seconds{kind="Node"} 9');
  expect(lines).toContain("rollward_tunnel_sites_dual 3");
  expect(lines).toContain('rollward_device_checkins_total{protocol="omaha",answer="Offer"} 1');
  expect(lines).toContain('rollward_api_requests_total{verb="patch",kind="Node",code="409"} 1');
  expect(lines).toContain('rollward_notice_sent_total{kind="Planned"} 1');
});

it("where nobody ever asked nobody is waited for", async () => {
  const { exporter: opened } = await open();
  const began = performance.now();
  await opened.scraped();
  expect(performance.now() - began).toBeLessThan(500);
});

it("who asks is waited for until he has asked again, and given up after a second", async () => {
  const { exporter: opened, page } = await open();
  await page();
  let scraped = false;
  const waited = opened.scraped().then(() => (scraped = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(scraped).toBe(false);
  await page();
  await waited;
  const began = performance.now();
  await opened.scraped();
  expect(performance.now() - began).toBeGreaterThanOrEqual(900);
});

it("a port that is taken is refused with the system's code", async () => {
  const { port } = await open();
  await expect(openDemoExporter(port, () => 0)).rejects.toMatchObject({ code: "EADDRINUSE" });
});
