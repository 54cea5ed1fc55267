import { describe, expect, it } from "vitest";
import { answerOf, type Cell, type CellAnswer, cells, DIMENSIONS, ROWS } from "./table.ts";

const ALL = cells();

/**
 * What rule C7 and the rules around it say of a cell, written as conditions of each answer and not as an order of rows: exactly one of
 * them holds in each cell, and it is the one that the table gives.
 */
const WRITTEN: Readonly<Partial<Record<CellAnswer, (cell: Cell) => boolean>>> = {
  PolicyManaged: ({ policy }) => policy === "Managed",
  OlderVersion: (cell) => automatic(cell) && cell.device === "Newer",
  UpToDate: (cell) => automatic(cell) && cell.device === "Target",
  Superseded: (cell) => wants(cell) && cell.superseded === "Yes",
  Stopped: (cell) => wants(cell) && cell.superseded === "No" && cell.provider === "Stopped",
  Paused: (cell) => wants(cell) && cell.superseded === "No" && cell.provider === "Paused",
  PausedByMonitoring: (cell) => wants(cell) && running(cell) && cell.monitoring === "Paused",
  PausedByAccount: (cell) => wants(cell) && running(cell) && cell.monitoring === "Run" && cell.account === "Paused",
  BelowFloor: (cell) => free(cell) && cell.device === "BelowFloor",
  NotInPhase: (cell) => free(cell) && (cell.device === "None" || cell.device === "Older") && !reached(cell),
  ArtifactMissing: (cell) => gets(cell) && cell.file === "Missing",
  Offer: (cell) => gets(cell) && cell.file === "There",
};
const automatic = ({ policy }: Cell): boolean => policy === "Automatic";
/** A device that could go to the version. */
const wants = (cell: Cell): boolean => automatic(cell) && cell.device !== "Newer" && cell.device !== "Target";
const running = ({ superseded, provider }: Cell): boolean => superseded === "No" && provider === "Run";
/** Nobody holds it. */
const free = (cell: Cell): boolean => wants(cell) && running(cell) && cell.monitoring === "Run" && cell.account === "Run";
/** Its turn has come. */
const gets = (cell: Cell): boolean =>
  free(cell) && (cell.device === "Faulty" || ((cell.device === "None" || cell.device === "Older") && reached(cell)));
const reached = ({ pilot, accountInPhase, userInPhase }: Cell): boolean =>
  pilot === "Member" || (accountInPhase === "Yes" && userInPhase === "Yes");

const nameOf = (cell: Cell): string =>
  Object.entries(cell)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

describe("[C7] the total table", () => {
  it("has 4,608 cells, each once", () => {
    const sizes = Object.values(DIMENSIONS).map(({ length }) => length);
    expect(ALL).toHaveLength(sizes.reduce((product, size) => product * size, 1));
    expect(new Set(ALL.map(nameOf)).size).toBe(4_608);
  });

  it.each(ALL.map((cell) => [nameOf(cell), cell] as const))("%s", (_, cell) => {
    const said = Object.entries(WRITTEN).filter(([, holds]) => holds(cell));
    expect(said.map(([answer]) => answer)).toEqual([answerOf(cell)]);
  });

  it("no cell with Managed, Stopped, superseded or a newer version offers", () => {
    for (const cell of ALL.filter((one) => answerOf(one) === "Offer")) {
      expect([cell.policy, cell.superseded, cell.provider]).toEqual(["Automatic", "No", "Run"]);
      expect(["Newer", "Target", "BelowFloor"]).not.toContain(cell.device);
    }
  });

  it("flipping any pause on never turns nothing into an offer", () => {
    const flips: readonly Partial<Cell>[] = [
      { provider: "Paused" },
      { provider: "Stopped" },
      { monitoring: "Paused" },
      { account: "Paused" },
      { superseded: "Yes" },
      { policy: "Managed" },
      { file: "Missing" },
    ];
    for (const cell of ALL) for (const flip of flips) expect(answerOf({ ...cell, ...flip }), nameOf(cell)).not.toBe("Offer");
  });

  it("a phase that reaches more never takes an offer away", () => {
    for (const cell of ALL.filter((one) => answerOf(one) === "Offer")) {
      expect(answerOf({ ...cell, accountInPhase: "Yes", userInPhase: "Yes" })).toBe("Offer");
    }
  });

  it("every row decides at least one cell, and has a sentence", () => {
    const deciding = new Set(
      ALL.map((cell) => ROWS.find(({ when }) => Object.entries(when).every(([name, value]) => cell[name as keyof Cell] === value))),
    );
    expect(deciding.size).toBe(ROWS.length);
    for (const { because } of ROWS) expect(because).toMatch(/\w{3,}/);
  });
});
