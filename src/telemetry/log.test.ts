import { expect, it } from "vitest";
import { logReconcile } from "./decision-line.ts";
import { createLogger, type LogLevel } from "./log.ts";

const NOW = Date.parse("2026-11-22T00:30:00Z");

function logged(level: LogLevel) {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger(level, () => NOW, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  return { log, lines };
}

const idle = { actions: [], events: [], probes: [], holds: [] };
const report = { kind: "PoPCluster", namespace: "fleet", name: "fra1", milliseconds: 1.234 };

it("a line tells time by the operator's clock, level, bindings and the message", () => {
  const { log, lines } = logged("info");
  log.with({ pop: "fra1" }).info("node n1 was claimed", { node: "n1" });
  log.debug("nobody reads this");
  expect(lines).toEqual([{ level: "info", time: "2026-11-22T00:30:00.000Z", pop: "fra1", node: "n1", message: "node n1 was claimed" }]);
});

it("an error is written with its stack", () => {
  const { log, lines } = logged("info");
  logReconcile(log, { ...report, error: new Error("gone") });
  expect(lines[0]).toMatchObject({ level: "error", error: { message: "gone", stack: expect.stringContaining("log.test.ts") } });
});

it("a decision is one line: info when it does something, debug with its first hold when it only waits", () => {
  const { log, lines } = logged("debug");
  const events = [{ type: "Normal", reason: "NodeClaimed", action: "ClaimNode", message: "node n1 is claimed" }] as const;
  logReconcile(log, { ...report, decision: { ...idle, actions: [{ kind: "ClaimNode" }], events } });
  logReconcile(log, {
    ...report,
    decision: { ...idle, holds: [{ rule: "W4", reason: "OutsideWindow", message: "opens Sunday", until: NOW }] },
  });
  expect(lines[0]).toMatchObject({
    level: "info",
    message: "PoPCluster fleet/fra1: node n1 is claimed",
    actions: ["ClaimNode"],
    milliseconds: 1.2,
  });
  expect(lines[1]).toMatchObject({
    level: "debug",
    message: "PoPCluster fleet/fra1: OutsideWindow: opens Sunday",
    rule: "W4",
    until: "2026-11-22T00:30:00.000Z",
  });
});
