import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import type { CliIo } from "./io.ts";
import { registerWhen, when, type WhenOptions } from "./when.ts";

const SAMPLE = new URL("../../config/samples/maintenance-window.yaml", import.meta.url);
const NOW = Date.UTC(2026, 10, 20, 12);

/** Runs the command on the sample, or on this text, and answers what it printed. */
async function run(options: Partial<WhenOptions>, text?: string) {
  let [out, err] = ["", ""];
  const content = text ?? (await readFile(SAMPLE, "utf8"));
  const io = {
    out: (more: string) => void (out += more),
    err: (more: string) => void (err += more),
    now: NOW,
    readFile: async () => content,
  };
  const code = await when({ file: "window.yaml", ...options }, io);
  return { code, out, err };
}

const starts = async (options: Partial<WhenOptions>, text?: string) =>
  (JSON.parse((await run({ output: "json", ...options }, text)).out) as { start: string }[]).map(({ start }) => start);

describe("rollward when", () => {
  it("[W3] Tokyo, Sunday 01:00–03:00, announced Friday 3 March 2023 18:00 → Sunday 12 March", async () => {
    expect(await starts({ zone: "Asia/Tokyo", announcedAt: "2023-03-03T18:00+09:00", count: "1" })).toEqual(["2023-03-11T16:00:00Z"]);
  });

  it.each([
    ["Asia/Tokyo", "40 h", "2023-03-11T16:00:00Z"],
    ["Europe/London", "49 h", "2023-03-05T01:00:00Z"],
    ["Europe/Berlin", "48 h exactly", "2023-03-05T00:00:00Z"],
  ])("[W3] announced 2023-03-03T00:00Z with 48h: %s (%s) → %s", async (zone, _, start) => {
    expect((await starts({ zone, announcedAt: "2023-03-03T00:00Z", notice: "48h" }))[0]).toBe(start);
  });

  it("[W3] a window without a notice keeps 48 hours; --notice overrides", async () => {
    const text = 'kind: MaintenanceWindow\nspec: {schedule: {weekly: [{day: Sunday, start: "01:00", end: "03:00"}]}, timeZone: Asia/Tokyo}';
    expect((await starts({ announcedAt: "2023-03-03T00:00Z" }, text))[0]).toBe("2023-03-11T16:00:00Z");
    expect((await starts({ announcedAt: "2023-03-03T00:00Z", notice: "40h" }, text))[0]).toBe("2023-03-04T16:00:00Z");
  });

  it("prints exactly start, end, localStart and note as JSON, five of them", async () => {
    const { code, out } = await run({ zone: "Europe/Berlin", announcedAt: "2026-03-20T00:00Z", output: "json" });
    const rows = JSON.parse(out) as object[];
    expect(code).toBe(0);
    expect(rows).toHaveLength(5);
    expect(rows[1]).toEqual({
      start: "2026-03-29T00:00:00Z",
      end: "2026-03-29T01:00:00Z",
      localStart: "2026-03-29T01:00+01:00[Europe/Berlin]",
      note: "clocks go forward by 1h: it lasts 1h and ends at 03:00",
    });
    expect(rows[0]).toEqual({
      start: "2026-03-22T00:00:00Z",
      end: "2026-03-22T02:00:00Z",
      localStart: "2026-03-22T01:00+01:00[Europe/Berlin]",
      note: "",
    });
  });

  it("prints an aligned table that names the zone, from now on when nothing was announced", async () => {
    const { out } = await run({ zone: "Asia/Tokyo", count: "1" });
    expect(out).toBe(
      [
        "In Asia/Tokyo, from 2026-11-20T12:00:00Z:",
        "START                 END                   LOCAL START                         NOTE",
        "2026-11-21T16:00:00Z  2026-11-21T18:00:00Z  2026-11-22T01:00+09:00[Asia/Tokyo]",
        "",
      ].join("\n"),
    );
  });

  it("says so when a window does not occur any more", async () => {
    const text = 'kind: MaintenanceWindow\nspec: {schedule: {once: {date: 2020-01-01, start: "01:00", duration: 1h}}, timeZone: UTC}';
    expect(await run({}, text)).toMatchObject({ code: 0, out: "In UTC, from 2026-11-20T12:00:00Z:\nno coming occurrence\n" });
    expect(await starts({}, text)).toEqual([]);
  });

  it("[W9] reads a window in its own zone whatever --zone says, and tells so beside the result", async () => {
    const text = 'kind: MaintenanceWindow\nspec: {schedule: {weekly: [{day: Sunday, start: "01:00", duration: 1h}]}, timeZone: UTC}';
    const { out, err, code } = await run({ zone: "Asia/Tokyo", output: "json", count: "1" }, text);
    expect(JSON.parse(out)[0].start).toBe("2026-11-22T01:00:00Z");
    expect({ code, err }).toEqual({
      code: 0,
      err: "the window has a zone of its own and is read in UTC; --zone Asia/Tokyo only dates its freezes\n",
    });
  });

  it("finds the window among other objects of a file", async () => {
    const text =
      "kind: Fleet\nspec: {}\n---\nkind: MaintenanceWindow\n" +
      'spec: {schedule: {weekly: [{day: Sunday, start: "01:00", duration: 1h}]}, timeZone: UTC}\n---\n';
    expect((await starts({}, text))[0]).toBe("2026-11-22T01:00:00Z");
  });

  it.each([
    ["a local window without --zone", {}, undefined, "give --zone"],
    ["an unknown zone", { zone: "Europe/Lodnon" }, undefined, '--zone: "Europe/Lodnon" is no known time zone; write Europe/London'],
    ["an instant without an offset", { zone: "UTC", announcedAt: "2023-03-03T18:00" }, undefined, "write date, time and offset"],
    ["a notice in days", { zone: "UTC", notice: "2d" }, undefined, '--notice is "2d", which is no duration; write 48h'],
    ["a count of none", { zone: "UTC", count: "0" }, undefined, "write a whole number from 1 to 1000"],
    ["a count that is no number", { zone: "UTC", count: "five" }, undefined, "write a whole number from 1 to 1000"],
    ["broken YAML", {}, "spec: {schedule: [", "window.yaml is no YAML"],
    ["an empty file", {}, "", "window.yaml is empty; give a file with kind: MaintenanceWindow and its spec"],
    ["another kind", {}, "kind: Fleet\nspec: {}", "(found Fleet)"],
    ["two windows", {}, "kind: MaintenanceWindow\n---\nkind: MaintenanceWindow", "holds 2 MaintenanceWindows"],
    ["a schedule beside spec", {}, "kind: MaintenanceWindow\nschedule: {}", "write it under spec:"],
    [
      "a misspelt day",
      {},
      'kind: MaintenanceWindow\nspec: {schedule: {weekly: [{day: Sundy, start: "01:00", duration: 1h}]}}',
      "write Sunday",
    ],
  ])("[W10] %s: exit code 2 and what to write instead, nothing on standard output", async (_, options, text, sentence) => {
    const { code, out, err } = await run(options, text);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(sentence);
  });

  it("a file that cannot be read: exit code 2 and its name", async () => {
    let err = "";
    const readMissing = () => Promise.reject(new Error("ENOENT"));
    const code = await when({ file: "gone.yaml" }, { out: () => {}, err: (text) => void (err += text), now: NOW, readFile: readMissing });
    expect(code).toBe(2);
    expect(err).toContain("gone.yaml cannot be read (ENOENT)");
  });

  it("is a subcommand that hands over its exit code", async () => {
    let [out, exit] = ["", -1];
    const program = new Command().exitOverride();
    const io: CliIo = {
      out: (text) => void (out += text),
      error: () => {},
      isTerminal: false,
      connect: () => Promise.reject(new Error("no cluster is needed for a file")),
      now: () => NOW,
      readFile: (path) => readFile(path, "utf8"),
      exit: (code) => void (exit = code),
    };
    registerWhen(program, io);
    await program.parseAsync(
      ["when", "-f", SAMPLE.pathname, "--zone", "Asia/Tokyo", "--announced-at", "2023-03-03T18:00+09:00", "-n", "1", "-o", "json"],
      { from: "user" },
    );
    expect(exit).toBe(0);
    expect(JSON.parse(out)[0].start).toBe("2023-03-11T16:00:00Z");
  });
});
