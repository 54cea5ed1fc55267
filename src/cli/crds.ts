import type { Command } from "commander";
import { stringify } from "yaml";
import { allResources } from "../api/resources.ts";
import { EXIT } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { reporting } from "./with-cluster.ts";

/** `rollward crds`: the CustomResourceDefinitions of this version, for `kubectl apply --server-side -f -`. */
export function registerCrds(program: Command, io: CliIo): void {
  program
    .command("crds")
    .description("prints the CustomResourceDefinitions, for kubectl apply --server-side -f -")
    .action(() =>
      reporting(io, async () => {
        // Anchors would be shorter, but not every reader of manifests follows them.
        io.out(
          allResources.map((resource) => `---\n${stringify(resource.crd(), { aliasDuplicateObjects: false, lineWidth: 0 })}`).join(""),
        );
        return EXIT.ok;
      }),
    );
}
