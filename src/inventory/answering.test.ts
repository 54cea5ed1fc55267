import { expect, it } from "vitest";
import { Answering } from "./answering.ts";

function answering() {
  const [said, answers]: [string[], boolean[]] = [[], []];
  let now = 0;
  const log = (level: string, message: string) => void said.push(`${level} ${message}`);
  const told = new Answering({ log, answers: (does) => void answers.push(does), elapsed: () => now });
  return { told, said, answers, passes: (milliseconds: number) => (now += milliseconds) };
}

it("[G9] that it answers is no news; that it stopped is said once, and once that it is back", () => {
  const { told, said, answers, passes } = answering();
  told.answered("sqlite:x");
  for (const why of ["one", "two", "three"]) {
    told.failed(why);
    passes(120_000);
  }
  expect(told.isSilent).toBe(true);
  told.answered("sqlite:x");
  told.answered("sqlite:x");
  expect(told.isSilent).toBe(false);
  expect(said).toEqual(["warn one", "info the inventory at sqlite:x answers again"]);
  expect(answers).toEqual([true, false, true]);
});

it("a store that answers every other call is told once a minute", () => {
  const { told, said, passes } = answering();
  for (let call = 0; call < 600; call += 1) {
    told.failed("it failed");
    passes(100);
    told.answered("sqlite:x");
  }
  expect(said).toEqual(["warn it failed", "info the inventory at sqlite:x answers again"]);
  told.failed("a minute later");
  expect(said.at(-1)).toBe("warn a minute later");
});
