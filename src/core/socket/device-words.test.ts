import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAttributes, readFeedback } from "./device-words.ts";

const feedback = (execution: unknown, finished?: unknown, more: object = {}) => ({ status: { execution, result: { finished }, ...more } });

describe("[G12] attributes of a device", () => {
  it("are read from configData as clients write it: words, numbers and yes", () => {
    const data = {
      version: "18.3.3",
      model: "X1600",
      "ha.state": "STANDBY",
      "ha.keepalive": true,
      pop: "fra1",
      prefetch: "yes",
      mac: "aa:bb",
    };
    expect(readAttributes({ id: "", time: "20011231T000000", data })).toEqual({
      version: "18.3.3",
      model: "X1600",
      haState: "Standby",
      keepalive: true,
      pop: "fra1",
      prefetch: true,
    });
  });

  it.each([
    ["a version with an escape sequence", { version: "18\u001b[31m.3" }, { version: "18 [31m.3" }],
    ["a version of 10,000 characters", { version: "1".repeat(10_000) }, { version: `${"1".repeat(63)}…` }],
    ["an object for a version", { version: { $ne: 1 } }, {}],
    ["a state that nobody knows", { "ha.state": "primary" }, { haState: "Unknown" }],
    ["a misspelt yes", { "ha.keepalive": "ture", prefetch: "maybe" }, { keepalive: false, prefetch: false }],
    ["a PoP that no PoP could be called", { pop: "../../fra1" }, {}],
    ["a version that is a number", { version: 18.3 }, { version: "18.3" }],
    ["nothing", {}, {}],
  ])("%s", (_what, data, read) => {
    expect(readAttributes({ data })).toEqual(read);
  });

  it.each([undefined, null, 7, "x", [], {}, { data: [] }, { data: null }])("a body without attributes gets a sentence: %j", (body) => {
    expect(readAttributes(body)).toEqual({ problem: expect.stringContaining('write {"data"') as string });
  });

  it("whatever is sent, nothing throws, and what is kept is short and has no control character", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.dictionary(fc.constantFrom("version", "model", "pop", "ha.state"), fc.jsonValue()), (any, data) => {
        readAttributes(any);
        readFeedback(any, "deploymentBase", 1);
        for (const value of Object.values(readAttributes({ data }))) {
          // oxlint-disable-next-line no-control-regex
          if (typeof value === "string") expect(value).toMatch(/^[^\u0000-\u001f]{1,253}$/);
        }
      }),
    );
  });
});

describe("feedback of a device", () => {
  it.each([
    ["closed", "success", "succeed"],
    ["closed", "none", "succeed"],
    ["closed", "failure", "fail"],
    ["rejected", "none", "fail"],
    ["canceled", "success", "cancel"],
    ["proceeding", "none", "proceed"],
    ["resumed", "none", "proceed"],
    ["download", "none", "fetch"],
    ["downloaded", "none", "fetch"],
    ["scheduled", "none", "none"],
  ])("about a deployment: %s with %s → %s", (execution, finished, act) => {
    expect(readFeedback(feedback(execution, finished), "deploymentBase", 7)).toEqual({ act });
  });

  it.each([
    ["closed", "success", "cancel"],
    ["canceled", "none", "cancel"],
    ["closed", "failure", "none"],
    ["rejected", "none", "none"],
    ["proceeding", "none", "none"],
  ])("about a cancel: %s with %s → %s; who refuses goes on", (execution, finished, act) => {
    expect(readFeedback(feedback(execution, finished), "cancelAction", 7)).toEqual({ act });
  });

  it("[G12] what it said is one line of at most 256 characters", () => {
    const details = ["no\nspace", 7, "left", "x".repeat(9_000)];
    const read = readFeedback(feedback("closed", "failure", { details }), "deploymentBase", 7);
    expect(read).toMatchObject({ act: "fail", said: expect.stringMatching(/^no space; left; x{100,}…$/) as string });
    expect("said" in read && read.said?.length).toBe(256);
  });

  it.each(["deploymentBase", "cancelAction"] as const)(
    "[S12] closed without a result, or with a word that is none, is no success (%s)",
    (of) => {
      for (const result of [undefined, {}, { finished: "sucess" }, { finished: true }, "success"]) {
        const read = readFeedback({ status: { execution: "closed", ...(result === undefined ? {} : { result }) } }, of, 7);
        expect(read).toMatchObject({ problem: expect.stringContaining('write "result": {"finished": "success"}') as string });
      }
    },
  );

  it("about another action than its address, or without a known word, it gets a sentence", () => {
    expect(readFeedback({ id: 8, ...feedback("closed", "success") }, "deploymentBase", 7)).toMatchObject({
      problem: expect.stringContaining("about action 8") as string,
    });
    expect(readFeedback({ id: "7", ...feedback("closed", "success") }, "deploymentBase", 7)).toEqual({ act: "succeed" });
    for (const body of [{}, [], null, feedback("finished"), feedback(7), { status: "closed" }])
      expect(readFeedback(body, "deploymentBase", 7)).toMatchObject({ problem: expect.stringContaining("status.execution") as string });
  });
});
