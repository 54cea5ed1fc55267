// oxlint-disable unicorn/no-thenable -- the field is called `then` in the resource; these objects are never awaited
import { z } from "zod";
import { mapList, rules } from "./cel.ts";
import { duration, reference } from "./common.ts";

/** A path on an HTTP server. */
export const urlPath = () =>
  z
    .string()
    .max(256)
    .meta(rules({ rule: "self.matches('^/[^ #]*$')", message: "write a path that begins with a slash, for example /healthz" }));
export const portNumber = () => z.int().min(1).max(65535);

export const httpEndpoint = z.object({
  port: portNumber(),
  path: urlPath().default("/"),
  scheme: z.enum(["HTTP", "HTTPS"]).default("HTTP"),
});
export type HttpEndpoint = z.infer<typeof httpEndpoint>;

/** A threshold; core/health reads it with the same form. */
export const comparison = () =>
  z
    .string()
    .max(64)
    .meta(
      rules({
        rule: "self.matches(r'^\\s*(<=|>=|==|!=|<|>)\\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\\s*$')",
        message: 'write an operator (<, <=, >, >=, ==, !=) and a number, for example "<= 0.01"',
      }),
    );

const prometheusCheck = z.object({
  query: z.string().min(1).max(2048).describe("A PromQL query with one value; ${node} and ${pop} are filled in."),
  passIf: comparison().describe('The value passes, for example "<= 0.01".'),
  failIf: comparison().optional().describe("The value fails; between the two it is Unknown. Left out: whatever does not pass fails."),
});
const httpCheck = httpEndpoint.extend({});
const tcpCheck = z.object({ port: portNumber() });

const reconnectCheck = z
  .object({
    histogram: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe("Histogram of loss-to-return times that the data plane exports. Write histogram or sessions."),
    port: portNumber().optional().describe("Port of the metrics; left out: that of strategy.drain.sessions."),
    path: urlPath().optional().describe("Path of the metrics; left out: that of strategy.drain.sessions."),
    from: z.string().min(1).max(64).default("from").describe("The label that names the node a session came from."),
    sessions: z
      .object({ port: portNumber(), path: urlPath() })
      .optional()
      .describe("Where each pod lists the ids of its sessions. Write histogram or sessions."),
    within: duration({ atLeast: "1s", atMost: "1h" })
      .default("10s")
      .describe("A session that is back on this PoP within this time has returned."),
    percent: z.int().min(1).max(100).default(95).describe("Share of the sessions held when the drain began that has to return."),
  })
  .meta(
    rules({
      rule: "has(self.histogram) != has(self.sessions)",
      message: "write exactly one of histogram (return times that the data plane exports) and sessions (lists of session ids)",
    }),
  );

/** One check of a node or of the whole PoP; exactly one of http, tcp, prometheus, reconnect. */
export const healthCheck = z
  .object({
    name: z.string().min(1).max(63).describe("Names the check in status, metrics and sentences."),
    http: httpCheck.optional().describe("Healthy on a status from 200 to 399."),
    tcp: tcpCheck.optional().describe("Healthy when a connection opens."),
    prometheus: prometheusCheck.optional().describe("Healthy by the value of a query."),
    reconnect: reconnectCheck.optional().describe("Healthy when the sessions of a drained node came back to this PoP."),
    address: z.enum(["Node", "Pod"]).default("Pod").describe("Whose address is asked by http and tcp."),
    successes: z.int().min(1).max(100).default(3).describe("Consecutive successes that make it Healthy."),
    failures: z.int().min(1).max(100).default(2).describe("Consecutive failures that make it Unhealthy."),
    interval: duration({ atLeast: "1s", atMost: "1h" }).default("2s"),
    timeout: duration({ atLeast: "1s", atMost: "1m" }).default("1s"),
  })
  .meta(
    rules({
      rule: "[has(self.http), has(self.tcp), has(self.prometheus), has(self.reconnect)].filter(given, given).size() == 1",
      message: "a check has exactly one of http, tcp, prometheus and reconnect: write one, and another check for another kind",
    }),
  );
export type HealthCheck = z.infer<typeof healthCheck>;

export const prometheusServer = z.object({
  url: z
    .string()
    .max(512)
    .meta(
      rules({
        rule: "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHost() != ''",
        message: "write the address of a Prometheus server, for example https://prometheus.monitoring:9090",
      }),
    )
    .describe("Where it answers, for example https://prometheus.monitoring:9090."),
  caSecretRef: reference().optional().describe("Secret with ca.crt."),
  tokenSecretRef: reference().optional().describe("Secret with token."),
});

export const popHealth = z.object({
  prometheus: prometheusServer.optional().describe("Left out: the operator's own Prometheus."),
  node: z
    .array(healthCheck)
    .max(16)
    .meta({
      ...mapList("name"),
      ...rules({
        rule: "self.all(check, !has(check.reconnect))",
        message: "reconnect is judged on the whole PoP: write this check under health.pop",
      }),
    })
    .default([])
    .describe("Judged on the node just updated."),
  pop: z
    .array(healthCheck)
    .max(16)
    .meta(mapList("name"))
    .default([])
    .describe("Judged on the whole PoP: before, during, in bake and watch."),
  minimumSamples: z
    .int()
    .min(0)
    .max(100_000)
    .default(30)
    .describe("Below so many sessions or reports nothing is concluded, and nothing blocked."),
  onUnknown: z
    .object({
      hold: duration({ atLeast: "1s" }).default("30m").describe("How long evidence may be missing before anything follows."),
      then: z
        .enum(["Alert", "RollBack"])
        .default("Alert")
        .describe("What follows. It never rolls back when most PoPs, or the source itself, are unknown at once."),
    })
    .default({ hold: "30m", then: "Alert" })
    .describe("Missing, empty, stale or unreadable evidence is Unknown; it never promotes."),
});
