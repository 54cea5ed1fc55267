import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COMMAND_STATES } from "../../api/socket-site-status.ts";
import { actionNumber, afterAct, type CommandAct, commandId, type CommandState, isOver, TRANSITIONS } from "./command.ts";
import { commandRow } from "./command.examples.ts";

const ACTS = Object.keys(TRANSITIONS) as CommandAct[];
const NOON = Date.parse("2026-11-29T12:00:00Z");

describe("the command row", () => {
  it.each([
    [-1, undefined],
    [0, "Given"],
    [3_600_000, "Given"],
    [3_600_001, undefined],
  ])("[S1] valid from noon to one o'clock, both inclusive, it is given %i ms after noon: %s", (after, state) => {
    expect(afterAct(commandRow({ notBefore: NOON, notAfter: NOON + 3_600_000 }), "give", NOON + after)?.state).toBe(state);
  });

  it("[S1] given once it is given again, with its first instant, and cannot be withdrawn any more", () => {
    const given = afterAct(commandRow({ notBefore: NOON, notAfter: NOON + 60_000 }), "give", NOON)!;
    expect(afterAct(given, "give", NOON + 1_000)).toEqual({ ...given, givenAt: NOON });
    expect(afterAct(given, "withdraw", NOON + 1_000)).toBeUndefined();
  });

  it("[S1] withdrawn it is never given: whoever changes the row first decides", () => {
    const withdrawn = afterAct(commandRow({ notBefore: NOON, notAfter: NOON + 60_000 }), "withdraw", NOON)!;
    expect(withdrawn).toMatchObject({ state: "Withdrawn", endedAt: NOON });
    for (const act of ACTS) expect(afterAct(withdrawn, act, NOON), act).toBeUndefined();
  });

  it("[I9] what is over stays as it is, whatever comes late, twice or in another order", () => {
    const acts = fc.array(fc.record({ act: fc.constantFrom(...ACTS), now: fc.integer({ min: NOON - 10, max: NOON + 10 }) }));
    fc.assert(
      fc.property(fc.constantFrom(...COMMAND_STATES.filter(isOver)), acts, (state: CommandState, later) => {
        const row = commandRow({ state, notBefore: NOON - 10, notAfter: NOON + 10 });
        for (const { act, now } of later) expect(afterAct(row, act, now)).toBeUndefined();
      }),
    );
  });

  it("[S1] feedback moves nothing that was never given", () => {
    for (const act of ["proceed", "succeed", "fail", "cancel", "giveUp"] as const)
      expect(afterAct(commandRow({ state: "Open" }), act, NOON), act).toBeUndefined();
  });

  it("[I9] the number for the device follows from the id, is positive and fits a C int; another attempt has another one", () => {
    const of = { siteUid: "u1", generation: 3, serial: "S-1001", attempt: 1 };
    expect(actionNumber(commandId(of))).toBe(actionNumber(commandId({ ...of })));
    const numbers = Array.from({ length: 1_000 }, (_, attempt) => actionNumber(commandId({ ...of, attempt })));
    for (const number of numbers) expect(number > 0 && number <= 0x7fffffff).toBe(true);
    expect(new Set(numbers).size).toBe(1_000);
  });
});
