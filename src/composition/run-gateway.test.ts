import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { VirtualClock } from "../simulation/clock.ts";
import { readSettings } from "../settings.ts";
import { openDevices } from "./run-gateway.ts";
import { UnusableInput } from "./unusable-input.ts";

const folder = mkdtempSync(join(tmpdir(), "rollward-gateway-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("a folder of artifacts that is not there, or is none, ends the start with a sentence, before anything is made", async () => {
  const file = join(folder, "file.swu");
  writeFileSync(file, "x");
  for (const [artifacts, why] of [
    [join(folder, "nope"), /--artifacts .*nope cannot be read \(ENOENT\); name the folder that the gateway serves, or leave it out/],
    [file, /--artifacts .*file\.swu is no folder/],
  ] as const) {
    const read = readSettings({ gatewayAddress: ":0", inventory: `sqlite:${join(folder, "i.db")}`, artifacts }, {});
    if (!read.ok) throw new Error(read.problems.join("; "));
    const clock = new VirtualClock(0);
    const parts = { settings: read.settings, clock, hub: {} as never, identity: "test", log: () => {} };
    await expect(openDevices(parts)).rejects.toThrow(why);
    await expect(openDevices(parts)).rejects.toThrow(UnusableInput);
  }
});
