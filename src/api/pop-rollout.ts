import { z } from "zod";
import { fixed, indexes, mapList, RANGE_PATTERN, rules, SET_LIST, VERSION_PATTERN } from "./cel.ts";
import { duration, localDate, longText, matchLabels, objectName, type ObjectMeta, userName, writtenInstant } from "./common.ts";
import { AGE_COLUMN, defineResource } from "./define-resource.ts";
import { evidenceCheck } from "./evidence.ts";
import { contentSource, contentVersion } from "./pop-content.ts";
import { popRolloutStatus, type PopRolloutStatus } from "./pop-rollout-status.ts";

export { ASSIGNMENT_ORDERS, MOST_ASSIGNMENT_TEXT, popRolloutStatus } from "./pop-rollout-status.ts";
export type { Assignment, PopRolloutStatus, RolloutForecast, StageStatus, WaveStatus } from "./pop-rollout-status.ts";

const versionText = () => z.string().min(1).max(64);
const MOST_WAVES = 20;

/** Waves and stages are named in commands, approvals and digests. */
const writtenName = (example: string) =>
  z
    .string()
    .min(1)
    .max(63)
    .meta(
      rules({
        rule: "self.size() <= 63 && self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
        message: `write at most 63 lower-case letters, digits and hyphens, for example ${example}`,
      }),
    );

const wavePops = z
  .object({
    count: z.int().min(1).max(1000).optional().describe("So many PoPs of those that no earlier wave has."),
    percent: z.int().min(1).max(100).optional().describe("Share of all PoPs of the rollout, those of earlier waves included (cumulative)."),
    matchLabels: matchLabels().optional().describe("The PoPs with these labels that no earlier wave has."),
  })
  .meta(
    rules(
      {
        rule: "[has(self.count), has(self.percent), has(self.matchLabels)].filter(given, given).size() == 1",
        message: "a wave names its PoPs in one way: write exactly one of count, percent and matchLabels",
      },
      {
        rule: "!has(self.matchLabels) || self.matchLabels.size() > 0",
        message: "matchLabels without a label matches every PoP: write percent: 100, or the labels that are meant",
        fieldPath: ".matchLabels",
      },
    ),
  );

const wave = z.object({
  name: writtenName("canary").describe("Names the wave in status, approvals and sentences."),
  pops: wavePops.describe("Which PoPs: count, percent or matchLabels."),
  pick: z
    .enum(["EarliestWindow", "StableHash"])
    .optional()
    .describe("Which of them: those whose window opens first, or by hash. Left out: EarliestWindow, and StableHash for the last wave."),
  bake: duration().optional().describe("How long a PoP of this wave bakes; left out: its strategy.bake."),
  approval: z.enum(["None", "Required"]).default("None").describe("Required: the wave opens on an Approval of what it is then."),
});
export type RolloutWave = z.infer<typeof wave>;

const index = indexes(MOST_WAVES);
/** What a schema can know of waves that cover nobody, or the same PoPs twice; what only the fleet tells is said in status. */
const WAVE_RULES = [
  {
    rule:
      "self.filter(w, has(w.pops.percent)).map(w, w.pops.percent).isSorted() && " +
      "self.filter(w, has(w.pops.percent)).all(w, self.exists_one(v, has(v.pops.percent) && v.pops.percent == w.pops.percent))",
    message:
      "percent counts the PoPs of earlier waves too, so a wave whose percent does not grow covers nobody: " +
      "write larger ones from wave to wave, for example 10, 50, 100",
  },
  {
    rule: "self.all(w, !has(w.pops.percent) || w.pops.percent < 100) || (has(self[self.size() - 1].pops.percent) && self[self.size() - 1].pops.percent == 100)",
    message: "after percent: 100 nobody is left: make it the last wave, or write a smaller percent",
  },
  {
    // Labels of an earlier wave that are among those of a later one: whoever matches the later one matched the earlier one.
    rule:
      `${index}.filter(i, i < self.size() && has(self[i].pops.matchLabels)).all(i, ` +
      `!${index}.filter(j, j < i && has(self[j].pops.matchLabels)).exists(j, ` +
      "self[j].pops.matchLabels.all(k, k in self[i].pops.matchLabels && self[i].pops.matchLabels[k] == self[j].pops.matchLabels[k])))",
    message:
      "every PoP of a wave is in an earlier one already, so it covers nobody: " +
      "give two waves different matchLabels, the narrower ones first, or leave the later one out",
  },
];

const earlyAvailability = z.object({
  accounts: z.int().min(1).max(100_000).describe("Accounts that have every one of the features switched on, at least."),
  for: duration().describe("For how long, at least."),
  failedPercentAtMost: z.int().min(0).max(100).default(1).describe("Share of their requests that fail, at most."),
});

const stage = z
  .object({
    name: writtenName("ci").describe("Names the evidence in status and sentences."),
    check: evidenceCheck.optional().describe("What CI/CD or a monitoring system says of the version."),
    features: z.array(z.string().min(1).max(63)).min(1).max(16).meta(SET_LIST).optional().describe("Features in early availability."),
    minimum: earlyAvailability.optional().describe("What the features have to show."),
  })
  .meta(
    rules(
      {
        rule: "has(self.check) != has(self.features)",
        message: "a stage is one kind of evidence: write exactly one of check and features",
      },
      { rule: "has(self.features) == has(self.minimum)", message: "features are judged by minimum: write both, or neither" },
    ),
  );
export type RolloutStage = z.infer<typeof stage>;

const personRequest = z.object({ at: writtenInstant().describe("When it was asked; carried out once for each value.") });

export const popRolloutSpec = z
  .object({
    version: versionText()
      .meta(
        rules({
          rule: `self.matches('${VERSION_PATTERN}')`,
          message: 'write 2 to 4 numbers without leading zeros, a pre-release after a hyphen, for example "2026.11.2" or "2026.11.2-rc.1"',
        }),
      )
      .optional()
      .describe("The version for the PoPs. Write version or content."),
    content: z
      .object({
        version: contentVersion().describe("The version of the content, for example sig.418."),
        source: contentSource.optional().describe("Where it comes from; left out: the data plane knows where to find this version."),
      })
      .optional()
      .describe("Content that running data planes load in place (never disrupts). Each PoP's spec.content says how it is loaded."),
    from: z
      .string()
      .min(1)
      .max(256)
      .meta(
        rules({
          rule: `self.matches('${RANGE_PATTERN}')`,
          message: 'write a range of versions, for example ">=2026.11.2 <2026.11.3" or "2026.11.x"',
        }),
      )
      .optional()
      .describe('Versions that it applies to, for example ">=2026.11.2 <2026.11.3"; PoPs on others are skipped. Left out: every version.'),
    class: z
      .enum(["Regular", "Emergency"])
      .default("Regular")
      .describe("Emergency: no window and no notice, staged all the same, with an Approval by somebody other than requestedBy."),
    reason: longText().optional().describe("Why; an emergency has to say it."),
    requestedBy: userName().describe("The user who asks for it; the API server compares it with who writes."),
    announcedAt: writtenInstant()
      .optional()
      .describe("When it was announced; an announcement counts from when the operator first saw it, never from earlier."),
    releaseNotes: z.string().max(512).optional().describe("Where people read what is new."),
    startNotBefore: localDate()
      .optional()
      .describe("Local date of each PoP from which on it may start, a Sunday of the train; left out: the next departure."),
    stages: z.array(stage).max(8).meta(mapList("name")).default([]).describe("Evidence that has to be there before the first wave."),
    waves: z
      .array(wave)
      .min(1)
      .max(MOST_WAVES)
      .meta({ ...mapList("name"), ...rules(...WAVE_RULES) })
      .describe("The PoPs, some after the others, in this order."),
    failureBudget: z
      .object({ pops: z.int().min(0).max(1000).describe("PoPs that may fail without halting it. The first wave's budget is 0.") })
      .default({ pops: 0 })
      .describe("How many PoPs may fail."),
    onFailure: z
      .enum(["Halt", "RollBackWave", "RollBackAll"])
      .default("RollBackAll")
      .describe("What follows when more PoPs fail: nothing new starts; or the wave goes back too; or every PoP that has the version."),
    supersedes: z
      .object({ name: objectName().describe("Its name.") })
      .optional()
      .describe("The faulty rollout that this one mends: its PoPs come first, then the wave it had reached."),
    lateJoinersPercent: z.int().min(1).max(100).default(5).describe("Share of PoPs a week that follow after the waves are over."),
    paused: z.boolean().default(false).describe("Nothing starts; what was changed is finished, rollbacks go on."),
    requests: z
      .object({
        stop: personRequest.optional().describe("Start nothing more, for ever."),
        retry: personRequest.optional().describe("Go on where it halted or stopped; PoPs that failed are tried again."),
        takeBack: personRequest.optional().describe("Take the version back from every PoP that has it."),
      })
      .optional()
      .describe("A person's word; each is carried out once for each value of at."),
  })
  .meta(
    rules(
      { rule: "has(self.version) != has(self.content)", message: "a rollout brings one thing: write exactly one of version and content" },
      {
        rule: "self.class != 'Emergency' || has(self.reason) && self.reason.matches('[^ ]')",
        message: "an emergency says why: write reason, for example the CVE that it mends",
        fieldPath: ".reason",
      },
      {
        rule: "self.class != 'Emergency' || self.waves.size() > 1",
        message: "an emergency is staged too: write a wave before the last one, for example {name: canary, pops: {count: 1}, bake: 10m}",
        fieldPath: ".waves",
      },
      {
        rule: "self.class != 'Emergency' || !has(self.content)",
        message: "content needs no window and no notice, so it has no emergency: leave class out",
        fieldPath: ".class",
      },
      {
        rule: "!has(self.startNotBefore) || self.class != 'Emergency' && !has(self.content)",
        message: "emergencies and content wait for no train: leave startNotBefore out, and create the rollout when it is to start",
        fieldPath: ".startNotBefore",
      },
      {
        rule: "!has(self.supersedes) || !self.waves.exists(w, w.name == 'exposed')",
        message: "a rollout that mends another has a first wave exposed of its own (PoPs on the faulty version): name the wave otherwise",
        fieldPath: ".waves",
      },
      fixed("version", "a rollout is for one version: create a new PoPRollout for another one"),
      fixed("content", "a rollout is for one content: create a new PoPRollout for another one"),
      fixed("from", "which versions a rollout applies to does not change: create a new PoPRollout for another range"),
      fixed("supersedes", "what a rollout mends does not change: create a new PoPRollout"),
      // Else whoever edits a rollout makes an emergency of it, and approves what somebody else seems to have asked for (F8).
      fixed("class", "a rollout stays what it was asked for as: create a new PoPRollout with the other class"),
      fixed("requestedBy", "who asked for a rollout does not change: create a new PoPRollout"),
    ),
  );
export type PopRolloutSpec = z.infer<typeof popRolloutSpec>;

export interface PopRollout {
  readonly apiVersion: string;
  readonly kind: "PoPRollout";
  readonly metadata: ObjectMeta;
  readonly spec: PopRolloutSpec;
  readonly status?: PopRolloutStatus;
}

export const POP_ROLLOUT = defineResource<PopRollout>({
  kind: "PoPRollout",
  plural: "poprollouts",
  shortNames: ["popro"],
  description: "One version, or one set of content, on its way through the PoPs of the fleet: evidence, waves, approvals, failures.",
  spec: popRolloutSpec,
  status: popRolloutStatus,
  rules: [
    {
      rule: "!has(self.spec.supersedes) || self.spec.supersedes.name != self.metadata.name",
      message: "a rollout does not mend itself: write the name of the faulty PoPRollout as supersedes.name, or leave supersedes out",
      fieldPath: ".spec.supersedes.name",
    },
  ],
  columns: [
    { name: "State", jsonPath: '.status.conditions[?(@.type=="Progressing")].reason' },
    { name: "Version", jsonPath: ".spec.version" },
    { name: "Content", jsonPath: ".spec.content.version", priority: 1 },
    { name: "PoPs", type: "integer", jsonPath: ".status.numbers.pops" },
    { name: "Passed", type: "integer", jsonPath: ".status.numbers.passed" },
    { name: "Failed", type: "integer", jsonPath: ".status.numbers.failed" },
    { name: "Waits For", jsonPath: ".status.holds[0].reason", description: "Why nothing goes on; rollward explain says it in a sentence." },
    { name: "Until", jsonPath: ".status.holds[0].until" },
    { name: "Finishes", jsonPath: ".status.forecast.finishAt" },
    { name: "Fits", type: "boolean", jsonPath: ".status.forecast.fits", priority: 1 },
    { name: "Class", jsonPath: ".spec.class", priority: 1 },
    AGE_COLUMN,
  ],
  selectableFields: [".spec.version", ".spec.class"],
});
