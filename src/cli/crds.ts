import type { Command } from "commander";
import { stringify } from "yaml";
import { KIND_VERSION } from "../api/names.ts";
import { allResources } from "../api/resources.ts";
import { EXIT } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { reporting } from "./with-cluster.ts";

/**
 * `rollward crds`: the CustomResourceDefinitions of this version, for `kubectl apply --server-side -f -`. They say of which version they
 * are: by that the chart refuses older ones, and an operator stays away from them (rule I21).
 */
export function registerCrds(program: Command, io: CliIo, version: string): void {
  program
    .command("crds")
    .description("prints the CustomResourceDefinitions, for kubectl apply --server-side -f -")
    .action(() =>
      reporting(io, async () => {
        // Anchors would be shorter, but not every reader of manifests follows them.
        const crds = allResources.map((resource) => {
          const { metadata, ...crd } = resource.crd();
          const annotated = { ...crd, metadata: { ...metadata, annotations: { [KIND_VERSION]: version } } };
          return `---\n${stringify(annotated, { aliasDuplicateObjects: false, lineWidth: 0 })}`;
        });
        io.out(crds.join(""));
        return EXIT.ok;
      }),
    );
}
