import { z } from "zod";
import { artifactAddress, artifactSize, sha256 } from "./artifact.ts";
import { ATOMIC_LIST, fixed, indexes, RANGE_PATTERN, rules, SET_LIST } from "./cel.ts";
import { duration, type ObjectMeta, writtenInstant } from "./common.ts";
import { AGE_COLUMN, defineResource } from "./define-resource.ts";
import { writtenVersion } from "./socket-site.ts";
import { modelName } from "./socket-site-status.ts";
import { MOST_RAMP_STEPS, socketRolloutStatus, type SocketRolloutStatus } from "./socket-rollout-status.ts";

export type { RampLedger, SocketNumbers, SocketRolloutStatus } from "./socket-rollout-status.ts";
export { socketRolloutStatus } from "./socket-rollout-status.ts";

const index = indexes(MOST_RAMP_STEPS);

const rampStep = z.object({
  percent: z.int().min(1).max(100).describe("Share of the sites that may be upgraded from this step on, those of earlier steps included."),
  for: duration({ atLeast: "1h", atMost: "2016h" })
    .default("168h")
    .describe("How long this step lasts before the next one opens; the last one lasts."),
});

const artifact = z.object({
  url: artifactAddress("Sockets", "socket-18.3.3.swu"),
  sha256: sha256("sha256"),
  sha1: z
    .string()
    .max(40)
    .meta(
      rules({
        rule: "self.matches('^[0-9a-f]{40}$')",
        message: "write the SHA-1 of the artifact as 40 lower-case hexadecimal digits, or leave sha1 out",
      }),
    )
    .optional()
    .describe("For clients that insist on it, swupdate among them. Left out: known only of files that the gateway serves itself."),
  size: artifactSize(),
});

const EXPECTED = { download: "5m", install: "20m", failover: "2m", verify: "10m" } as const;

export const socketRolloutSpec = z
  .object({
    version: writtenVersion().describe("The version for the Sockets."),
    announcedAt: writtenInstant().describe(
      "When it was announced. For the notice it counts from when the operator first saw it, never from earlier (W3).",
    ),
    releaseNotes: z.string().max(512).optional().describe("Where people read what is new; stands in every notice."),
    models: z
      .array(modelName())
      .min(1)
      .max(64)
      .meta(SET_LIST)
      .optional()
      .describe("The models that it is for. Left out: every model; two rollouts that stand for one model are told by their versions."),
    from: z
      .string()
      .min(1)
      .max(256)
      .meta(
        rules({
          rule: `self.matches('${RANGE_PATTERN}')`,
          message: 'write a range of versions, for example ">=16.0.0" or ">=17.0 <18.0"',
        }),
      )
      .optional()
      .describe('Versions that it applies to, for example ">=16.0.0"; Sockets on others are left alone. Left out: every older version.'),
    expected: z
      .object({
        download: duration({ atMost: "24h" }).default(EXPECTED.download).describe("Of one Socket, where it does not fetch ahead (S13)."),
        install: duration({ atLeast: "1s", atMost: "24h" }).default(EXPECTED.install).describe("Of one Socket, its restart included."),
        failover: duration({ atMost: "1h" }).default(EXPECTED.failover).describe("Between the two Sockets of a pair."),
        verify: duration({ atLeast: "1m", atMost: "24h" })
          .default(EXPECTED.verify)
          .describe("How long a Socket has to stay connected on the new version (S12)."),
      })
      .default(EXPECTED)
      .describe("What an upgrade takes; measured times count where they are longer. Windows have to hold it (W4)."),
    ramp: z
      .array(rampStep)
      .min(1)
      .max(MOST_RAMP_STEPS)
      .meta({
        ...ATOMIC_LIST,
        ...rules({
          rule: `${index}.all(i, i == 0 || i >= self.size() || self[i].percent > self[i - 1].percent)`,
          message: "percent counts the sites of earlier steps too, so each step has a larger one: write for example 5, 25, 100",
        }),
      })
      .default([
        { percent: 5, for: "168h" },
        { percent: 25, for: "168h" },
        { percent: 100, for: "168h" },
      ])
      .describe("Share of the sites, week by week; which of them, a hash decides, another one for each rollout."),
    failureBudget: z
      .object({
        attemptedAtLeast: z.int().min(1).max(1_000_000).default(50).describe("With fewer sites attempted nothing is concluded."),
        failedPercent: z.int().min(0).max(100).default(2).describe("More than this share of the attempted ones failed: it stops."),
      })
      .default({ attemptedAtLeast: 50, failedPercent: 2 })
      .describe("How many sites may fail before it stops by itself (S10)."),
    artifact: artifact.describe("What Sockets fetch and install."),
    lateJoinersPercent: z
      .int()
      .min(1)
      .max(100)
      .default(5)
      .describe("Share of sites a week that join, return or get another Socket after the ramp is over (G4); one site is always allowed."),
    paused: z.boolean().default(false).describe("Nothing new is started; a pair in hand is finished."),
    requests: z
      .object({
        stop: z
          .object({ at: writtenInstant().describe("When it was asked; carried out once for each value.") })
          .optional()
          .describe("Start nothing more, for ever."),
      })
      .optional()
      .describe("A person's word."),
  })
  .meta(
    rules(
      fixed("version", "a rollout is for one version: create a new SocketRollout for another one"),
      fixed("artifact", "verdicts are of exactly this artifact: create a new SocketRollout for another one"),
      fixed("from", "which versions a rollout applies to does not change: create a new SocketRollout for another range"),
    ),
  );
export type SocketRolloutSpec = z.infer<typeof socketRolloutSpec>;

export interface SocketRollout {
  readonly apiVersion: string;
  readonly kind: "SocketRollout";
  readonly metadata: ObjectMeta;
  readonly spec: SocketRolloutSpec;
  readonly status?: SocketRolloutStatus;
}

export const SOCKET_ROLLOUT = defineResource<SocketRollout>({
  kind: "SocketRollout",
  plural: "socketrollouts",
  shortNames: ["sockro"],
  description: "One version of the Sockets' software on its way through the sites of all accounts, each in its own window.",
  spec: socketRolloutSpec,
  status: socketRolloutStatus,
  columns: [
    { name: "State", jsonPath: '.status.conditions[?(@.type=="Progressing")].reason' },
    { name: "Version", jsonPath: ".spec.version" },
    { name: "Ramp", type: "integer", jsonPath: ".status.ramp.percent", description: "Share of the sites that it has reached, in percent." },
    { name: "Sites", type: "integer", jsonPath: ".status.numbers.sites" },
    { name: "Offered", type: "integer", jsonPath: ".status.numbers.offered" },
    { name: "Confirmed", type: "integer", jsonPath: ".status.numbers.confirmed" },
    { name: "Failed", type: "integer", jsonPath: ".status.numbers.failed" },
    { name: "Unreachable", type: "integer", jsonPath: ".status.numbers.unreachable" },
    { name: "Waits For", jsonPath: ".status.holds[0].reason", description: "Why nothing goes on; rollward explain says it in a sentence." },
    { name: "Until", jsonPath: ".status.holds[0].until" },
    { name: "Finishes", jsonPath: ".status.forecast.finishAt", priority: 1 },
    AGE_COLUMN,
  ],
  selectableFields: [".spec.version"],
});
