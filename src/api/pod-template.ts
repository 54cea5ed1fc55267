import { z } from "zod";
import { ATOMIC_LIST, mapList, rules } from "./cel.ts";
import { POP_LABEL, POP_REVISION_LABEL } from "./names.ts";

const port = z.looseObject({ containerPort: z.int().min(1).max(65535), hostPort: z.int().min(0).max(65535).optional() });

const container = z.looseObject({
  name: z.string().min(1).max(63),
  image: z
    .string()
    .min(1)
    .max(512)
    .meta(
      rules(
        { rule: "self.matches('^[^ ]+$')", message: "write an image, for example registry.example/data-plane:${version}" },
        { rule: "!self.replace('${version}', '').contains('${')", message: "in an image only ${version} is filled in; write the rest out" },
      ),
    )
    .describe("${version} is replaced by the version that is rolled."),
  ports: z.array(port).max(64).meta(ATOMIC_LIST).optional(),
});

const labels = z.record(z.string().max(317), z.string().max(63)).meta({
  maxProperties: 64,
  ...rules({
    rule: `!('${POP_LABEL}' in self) && !('${POP_REVISION_LABEL}' in self)`,
    message: `the operator itself sets ${POP_LABEL} and ${POP_REVISION_LABEL}: leave them out`,
  }),
});

/** The pod template of the data plane: what we look at is declared, the rest is preserved and proven by a strict dry run. */
export const podTemplate = z.looseObject({
  metadata: z
    .looseObject({
      labels: labels.optional(),
      annotations: z.record(z.string().max(317), z.string().max(262_144)).meta({ maxProperties: 64 }).optional(),
    })
    .optional(),
  spec: z
    .looseObject({
      containers: z.array(container).min(1).max(16).meta(mapList("name")),
      hostNetwork: z.boolean().optional(),
    })
    .meta(
      rules({
        rule: "!has(self.hostNetwork) || !self.hostNetwork || self.containers.exists(c, has(c.ports) && c.ports.size() > 0)",
        message:
          "with hostNetwork the containers must declare their ports, else the new pod starts while the old one still holds them: " +
          "write ports: [{containerPort: …}] for every port that is bound",
        fieldPath: ".containers",
      }),
    ),
});
export type PodTemplate = z.infer<typeof podTemplate>;
