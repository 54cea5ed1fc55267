import { expect, it } from "vitest";
import { HOUR, RARELY, Story } from "./story.ts";

it("[I12] [P16] a first version that breaks while it is watched is not promoted when another takes its place", async () => {
  const story = await Story.begin({ nodes: 1, pop: { version: "1.0.0-bad-after-1h", health: RARELY } });
  await story.until("the breach", ({ run }) => run?.cause !== undefined, 2 * HOUR);
  await story.want("2.0.0");
  await story.untilRolled("2.0.0");
  expect(story.outcomes()).toEqual(["1.0.0-bad-after-1h Stopped"]);
});
