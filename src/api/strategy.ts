// oxlint-disable unicorn/no-thenable -- the field is called `then` in the resource; these objects are never awaited
import { z } from "zod";
import { isDuration, rules } from "./cel.ts";
import { duration, labelSelector } from "./common.ts";
import { httpEndpoint, portNumber, urlPath } from "./health.ts";

const maxUnavailable = z
  .union([
    z.int().min(1).max(10_000),
    z
      .string()
      .regex(/^[1-9][0-9]?%$|^100%$/, "write a share from 1% to 100%, for example 25%")
      .max(4),
  ])
  .meta(
    rules({
      rule: "type(self) == int ? self >= 1 && self <= 10000 : self.matches('^([1-9][0-9]?|100)%$')",
      message: "write a number of nodes from 1, or a percentage of the members from 1% to 100%",
    }),
  );

const drain = z
  .object({
    start: z
      .object({ http: httpEndpoint })
      .optional()
      .describe("How the data plane is told to let its sessions go; without it a node is only marked."),
    cancel: z.object({ http: httpEndpoint }).optional().describe("How it is told to serve again."),
    lease: duration({ atLeast: "3s", atMost: "1h" }).default("2m").describe("A data plane that hears nothing for so long serves again."),
    sessions: z
      .object({ metric: z.string().min(1).max(256), port: portNumber(), path: urlPath().default("/metrics") })
      .optional()
      .describe("The gauge of active sessions; without it a drain lasts its whole timeout."),
    timeout: duration().default("5m").describe("A drain lasts at most so long; then the node is updated with what is left."),
    evictPods: z.boolean().default(false).describe("Also move pods of others that have a controller which is no DaemonSet."),
  })
  .meta(
    rules({
      rule: "!has(self.start) || has(self.cancel)",
      message: "DrainCannotBeUndone: a node that drains when its window closes has to be given back; write drain.cancel beside drain.start",
      fieldPath: ".cancel",
    }),
  );

const perNode = z
  .object({
    expected: duration({ atLeast: "1s" })
      .default("8m")
      .describe("Drain, update and verification of one node, as a rule; the last start counts with it."),
    deadline: duration({ atLeast: "1s" }).default("15m").describe("A node that is not done by then has failed."),
    soak: duration().default("60s").describe("The node just updated is watched so long before the next one starts."),
    retries: z.int().min(0).max(5).default(1).describe("How often a failed new pod is deleted and tried again."),
  })
  .meta(
    rules({
      rule: `!(${isDuration("self.expected")} && ${isDuration("self.deadline")}) || duration(self.deadline) >= duration(self.expected)`,
      message: "deadline is shorter than expected, so every node would fail: write a longer deadline or a shorter expected",
      fieldPath: ".deadline",
    }),
  );

/** How the nodes of a PoP are updated, one after the other. */
export const popStrategy = z
  .object({
    maxUnavailable: maxUnavailable
      .default(1)
      .describe("Nodes that may be out at once, whoever took them out; a percentage is rounded down, at least 1."),
    order: z
      .object({
        first: labelSelector().optional().describe("Nodes that go first, such as a canary."),
        then: z.enum(["StableHash", "FewestSessions"]).default("StableHash").describe("The order of the others."),
      })
      .default({ then: "StableHash" }),
    drain: drain.default({ lease: "2m", timeout: "5m", evictPods: false }).describe("How a node's sessions go before it is updated."),
    perNode: perNode.default({ expected: "8m", deadline: "15m", soak: "60s", retries: 1 }).describe("Times of one node."),
    notReadyBefore: z
      .enum(["Count", "Exclude"])
      .default("Count")
      .describe("Exclude: nodes NotReady before the roll do not fill the budget, and are skipped."),
    overlap: z.enum(["Never", "Allowed"]).default("Never").describe("Allowed: the new pod may start beside the old one on a node."),
    prePull: z.boolean().default(true).describe("Pull the images ahead of the window."),
    bake: duration().default("1h").describe("After its last node the version bakes so long before anything follows."),
    watch: duration({ atLeast: "24h" }).default("336h").describe("The version is judged so long, and taken back when it turns bad."),
    onWindowEnd: z
      .enum(["Hold", "RollBack"])
      .default("Hold")
      .describe("A half-rolled PoP at the end of its window: wait for the next one, or go back."),
  })
  .meta(
    rules({
      rule:
        `!(${isDuration("self.drain.timeout")} && ${isDuration("self.perNode.expected")}) || ` +
        "duration(self.perNode.expected) >= duration(self.drain.timeout)",
      message: "perNode.expected is shorter than drain.timeout: write what drain, update and verification of one node take together",
      fieldPath: ".perNode.expected",
    }),
  );
