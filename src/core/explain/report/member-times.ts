import type { PopRolloutStatus } from "../../../api/pop-rollout.ts";
import { momentText } from "../moment.ts";
import type { Member } from "./subject.ts";

export const CAUSES = ["working", "window", "people", "soaking"] as const;

/** What each cause is, in a sentence or a legend. */
export const CAUSE_WORDS = {
  working: "working",
  window: "waiting for windows",
  people: "waiting for people",
  soaking: "soaking and baking",
} as const;

/** Milliseconds by cause; `total` is their sum, `toBegin` what was waited before the run, which is not in it. */
export type Times = Readonly<Record<(typeof CAUSES)[number] | "total" | "toBegin", number>>;

export interface MemberTimes extends Times {
  readonly pop: string;
  readonly wave: string;
  readonly region: string | undefined;
  readonly state: string;
  readonly nodes: number | undefined;
  readonly began: string | undefined;
  /** When it passed, else when it ended. */
  readonly ended: string | undefined;
  /** Until when a run that goes on is accounted: its ledger is written when something happens. */
  readonly accountedUntil: string | undefined;
  /** Why there is less to be read than a reader expects. */
  readonly note: string | undefined;
}

/** The time of one PoP in all its runs of the version. */
export function memberTimes({ assignment, pop, zone, runs }: Member, { waves = [] }: PopRolloutStatus): MemberTimes {
  const [first] = runs;
  const last = runs.at(-1);
  const spent = runs.flatMap((one) => one.spent);
  const by = (cause: (typeof CAUSES)[number]): number => spent.reduce((sum, one) => sum + one[cause], 0);
  const opened = waves.find(({ name }) => name === assignment.wave)?.openedAt;
  const moment = (text: string | undefined) => (text === undefined ? undefined : momentText(text, zone));
  const goesOn = last?.current === true && last.spent.at(-1)?.passedAt === undefined;
  return {
    pop: assignment.pop,
    wave: assignment.wave,
    region: pop?.spec.region,
    state: assignment.state,
    nodes: last?.nodes,
    began: moment(first?.began),
    ended: moment(last?.passed ?? last?.ended),
    accountedUntil: goesOn ? moment(last.spent.at(-1)?.until) : undefined,
    note: noteOf(
      pop === undefined,
      runs.length,
      runs.some((one) => one.spent.length === 0),
    ),
    toBegin: first === undefined || opened === undefined ? 0 : Math.max(0, Date.parse(first.began) - Date.parse(opened)),
    working: by("working"),
    window: by("window"),
    people: by("people"),
    soaking: by("soaking"),
    total: CAUSES.reduce((sum, cause) => sum + by(cause), 0),
  };
}

function noteOf(isGone: boolean, runs: number, isUnaccounted: boolean): string | undefined {
  if (isGone) return "its PoPCluster does not exist any more, and its times went with it";
  if (isUnaccounted) return "an operator that accounted no times ran a part of it";
  return runs > 1 ? `${runs} runs together` : undefined;
}

export function sumOf(members: readonly MemberTimes[]): Times {
  const sum = (of: keyof Times): number => members.reduce((total, one) => total + one[of], 0);
  return {
    working: sum("working"),
    window: sum("window"),
    people: sum("people"),
    soaking: sum("soaking"),
    total: sum("total"),
    toBegin: sum("toBegin"),
  };
}
