import { z } from "zod";
import { rules } from "./cel.ts";
import { comparison, prometheusServer } from "./health.ts";

const webAddress = (example: string) =>
  z
    .string()
    .max(512)
    .meta(
      rules({
        rule: "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHost() != ''",
        message: `write the whole address, for example ${example}; \${version} is filled in`,
      }),
    );

/** A figure of a monitoring system. */
export const prometheusFigure = () =>
  z.object({
    server: prometheusServer.optional().describe("Left out: the operator's own Prometheus."),
    query: z.string().min(1).max(2048).describe("A PromQL query with one value; ${version} is filled in."),
    passIf: comparison().describe('Passed when the value is so, for example "<= 0.01".'),
    failIf: comparison().optional().describe('Failed when the value is so, for example "> 0.05"; between the two it is not there yet.'),
  });

/** Evidence for a version as another system has it: a CI/CD result, a figure of a monitoring system. */
export const evidenceCheck = z
  .object({
    http: z
      .object({ url: webAddress("https://ci.example.com/results/2026.11.2").describe("Asked with GET; ${version} is filled in.") })
      .optional()
      .describe("Passed on a status from 200 to 299, not there yet on 404, failed on any other; no answer is no evidence."),
    prometheus: prometheusFigure().optional().describe("A figure of a monitoring system; no value is no evidence."),
  })
  .meta(rules({ rule: "has(self.http) != has(self.prometheus)", message: "write exactly one of http and prometheus" }));
export type EvidenceCheck = z.infer<typeof evidenceCheck>;
