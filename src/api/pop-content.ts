import { z } from "zod";
import { CONTENT_VERSION_PATTERN, mapList, rules } from "./cel.ts";
import { reference } from "./common.ts";
import { healthCheck, httpEndpoint } from "./health.ts";

/** The version of content, as a person writes it. */
export const contentVersion = () =>
  z
    .string()
    .min(1)
    .max(64)
    .meta(
      rules({
        rule: `self.matches('${CONTENT_VERSION_PATTERN}')`,
        message: "write letters, digits, points, hyphens and underscores, for example sig.418",
      }),
    );

/** Where content comes from; the data plane fetches it, the operator only says what. */
export const contentSource = z
  .object({
    configMapRef: reference().optional().describe("A ConfigMap of the fleet namespace that holds it."),
    ociArtifact: z.string().min(1).max(512).optional().describe("An artifact of a registry, for example registry.example/signatures:418."),
  })
  .meta(rules({ rule: "has(self.configMapRef) != has(self.ociArtifact)", message: "write exactly one of configMapRef and ociArtifact" }));
export type ContentSource = z.infer<typeof contentSource>;

/** What a PoP says of its content: usually only how it is loaded and judged. */
export const popContent = z
  .object({
    version: contentVersion().optional().describe("A person pins the version of the content; left out, PoPRollouts assign it."),
    source: contentSource
      .optional()
      .describe("Where this version comes from; left out: the data plane knows where to find it, or the rollout says it."),
    load: z.object({ http: httpEndpoint }).describe("How a running data plane is told to load it."),
    health: z.array(healthCheck).max(8).meta(mapList("name")).default([]).describe("Judged on each node that loaded it."),
  })
  .meta(
    rules({
      rule: "!has(self.source) || has(self.version)",
      message: "source is where one version comes from: write version too, or leave both out and PoPRollouts assign them",
      fieldPath: ".source",
    }),
  );
