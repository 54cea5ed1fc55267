import type { ClientRollout } from "../../../api/client-rollout.ts";
import { WEEK } from "../../../core/time/civil.ts";
import { cutTo } from "../frame.ts";
import type { Colors } from "../narrator.ts";
import { CURTAIN, FAULTY, FIXED, OLD } from "./cast.ts";
import type { UsersByVersion } from "./ledgers.ts";

export const VERSIONS = [OLD, FAULTY, FIXED] as const;
const SIGNS = ["░", "▓", "█"] as const;
const BAR = 50;
const WEEKS = 6;

/** What the picture is drawn from: the Clients themselves, and what the rollouts say of where they are. */
export interface Seen {
  readonly now: number;
  readonly users: UsersByVersion;
  readonly rollouts: readonly ClientRollout[];
}

/** Users by version as a bar: each sign two of a hundred, what is not a whole sign goes to the largest. */
export function barOf(counts: readonly number[]): string {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return " ".repeat(BAR);
  const lengths = counts.map((count) => Math.round((BAR * count) / all));
  const largest = lengths.indexOf(Math.max(...lengths));
  lengths[largest]! += BAR - lengths.reduce((sum, length) => sum + length, 0);
  return lengths.map((length, index) => SIGNS[index]!.repeat(length)).join("");
}

/** `5.11.0 92.1 %, 5.12.3 7.9 %`: versions that somebody runs; of very few how many they are. */
export function sharesText(counts: readonly number[]): string {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const share = (count: number): string => (count < all / 1_000 ? `${count} users` : `${((100 * count) / all).toFixed(1)} %`);
  return counts.flatMap((count, index) => (count === 0 ? [] : [`${VERSIONS[index]!} ${share(count)}`])).join(", ");
}

/** One line for a moment: its name, the bar, the shares. */
export function momentLine(name: string, users: UsersByVersion, at: number): string {
  const counts = users.at(at);
  return `${name.padEnd(8)} ${barOf(counts)} ${sharesText(counts)}`;
}

/** Users by version at the end of each week that is over, and now. */
export function weekLines(users: UsersByVersion, now: number): readonly string[] {
  const weeks = Array.from({ length: WEEKS }, (_, week) => CURTAIN + (week + 1) * WEEK).filter((at) => at <= now);
  return weeks.map((at, week) => momentLine(`week ${week + 1}`, users, at));
}

/** The live picture: where each rollout is, and the bars. */
export function pictureLines({ now, users, rollouts }: Seen, width: number, colours: Colors): string[] {
  const heads = rollouts.map(({ spec, status }) => {
    const { reached, effective = "Run" } = status ?? {};
    const where =
      reached === undefined ? "not open yet" : reached.stage === "Phase" ? `phase ${reached.phase ?? 1}` : reached.stage.toLowerCase();
    return `${spec.version}: ${where}${effective === "Run" ? "" : `, ${effective.toLowerCase()}`}`;
  });
  return [
    colours.bold(cutTo(heads.join("   ") || "nothing is announced yet", width)),
    "",
    ...weekLines(users, now).map((line) => cutTo(line, width)),
    colours.yellow(cutTo(momentLine("now", users, now), width)),
    colours.dim(cutTo(VERSIONS.map((version, index) => `${SIGNS[index]!} ${version}`).join("  "), width)),
  ];
}
