import type { SocketSiteStatus } from "../../api/socket-site.ts";
import { momentText } from "./moment.ts";

export type ShownStory = NonNullable<NonNullable<SocketSiteStatus["ha"]>["story"]>;

/** A story as people read it: what is wrong, since when, how bad, and what to do, in order (rules S6, S7). */
export function storyLines(story: ShownStory, zone: string | undefined): string[] {
  const { title, lower, higher, severity, missingMajors, features = [], steps, openedAt, resolvedAt } = story;
  const majors = missingMajors.join(", ");
  const lost = features.length === 0 ? `majors ${majors}` : `majors ${majors}, which ${features.join(", ")} need`;
  const until = resolvedAt === undefined ? "" : `, resolved ${momentText(resolvedAt, zone)}`;
  const lines = [
    `${title} (${severity}): ${lower.serial} runs ${lower.version} and ${higher.serial} ${higher.version}, since ${momentText(openedAt, zone)}${until}.`,
    `What does not work behind ${lower.serial}: the features of ${lost}.`,
  ];
  return resolvedAt === undefined ? [...lines, ...steps.map((step, index) => `${index + 1}. ${step}`)] : lines.slice(0, 1);
}
