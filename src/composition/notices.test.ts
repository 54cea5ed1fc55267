import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { VirtualClock } from "../simulation/clock.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { openNotices, secretOf } from "./notices.ts";

let folder: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollward-notices-"));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const keyFile = (text: string): string => {
  const path = join(folder, "key");
  writeFileSync(path, text);
  return path;
};
const open = (settings: Parameters<typeof openNotices>[0]["settings"]) =>
  openNotices({ settings, clock: new VirtualClock(0), log: (_, message) => void said.push(message), metrics: createMetrics() });
const hosts = { hosts: ["hooks.acme.example"], privateHosts: [] };

it("without any setting every channel is refused, with a sentence for the account", async () => {
  const notices = await open(undefined);
  expect(notices.refusal("https://hooks.acme.example/", "acme")).toBe(
    "the provider allows no notices to hooks.acme.example; ask for it (setting --notice-hosts), or write another address",
  );
  expect((await open(hosts)).refusal("https://hooks.acme.example/", "acme")).toBeUndefined();
  expect(said).toEqual(["notices are not signed: --notice-key is not set"]);
});

it("a key that is missing or too short ends the start with a sentence that does not show it", async () => {
  const path = keyFile("short-secret\n");
  await expect(open({ ...hosts, keyFile: path })).rejects.toThrow(
    `--notice-key ${path} holds 12 characters; write at least 32, for example of openssl rand -base64 32`,
  );
  await expect(open({ ...hosts, keyFile: join(folder, "none") })).rejects.toThrow(/none cannot be read \(ENOENT\); name a file/);
});

it("[I15] an account's secret is its own, the same each time, and line breaks around the key do not count", async () => {
  const key = "k".repeat(32);
  const first = await secretOf(keyFile(key), "acme");
  expect(first).toMatch(/^whsec_[0-9A-Za-z+/]{43}=$/);
  expect(await secretOf(keyFile(`${key}\n`), "acme")).toBe(first);
  expect(await secretOf(keyFile(key), "other")).not.toBe(first);
});
