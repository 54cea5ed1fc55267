// What the chart's service accounts may not do: asked of the API server, and tried, with the token of each and nothing else.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { RealWorld } from "../rolls/real-world.ts";
import { allowedOf, HOW_MANY } from "./dangerous-calls.ts";
import { APART, describeWithHelm, render } from "./helm.ts";

const run = promisify(execFile);

const ACCOUNTS = ["rollward", "rollward-gateway", "rollward-uninstall"] as const;

describeWithControlPlane("[T3] the chart's service accounts", () => {
  describeWithHelm("with helm", () => {
    let world: RealWorld;

    const kubectl = async (...args: string[]): Promise<string> =>
      (await run(world.controlPlane.binaries.kubectl, ["--kubeconfig", world.controlPlane.kubeconfig("admin"), ...args])).stdout;

    beforeAll(async () => {
      world = await RealWorld.start({ start: "2026-11-25T12:00:00Z", pops: {} });
      const objects = await render(...APART, "--set=rbac.evictPods=true");
      // In the place of what the world gave to its user `operator`: bindings of the same names, for the accounts alone.
      const items = objects.filter(({ kind }) => /^(ServiceAccount|(Cluster)?Role(Binding)?)$/.test(kind));
      const file = join(world.folder, "apply.json");
      writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
      await kubectl("apply", "--server-side", "--force-conflicts", "-f", file);
    });
    afterAll(() => world?.stop());

    it.for(ACCOUNTS)(
      `[L] %s may make none of ${HOW_MANY} dangerous calls, as the server says when it is asked and when it is called`,
      async (account) => {
        const { url, caFile, tokens } = world.controlPlane;
        const allowed = (token: string) => allowedOf({ url, ca: readFileSync(caFile, "utf8"), token });
        expect(await allowed((await kubectl("-n", FLEET_NAMESPACE, "create", "token", account)).trim())).toEqual([]);
        // The same questions of somebody who may: the table is no list of typing errors.
        const byAdmin = account === "rollward" ? await allowed(tokens["admin"]!) : undefined;
        expect(byAdmin?.filter((line) => line.endsWith(": allowed")).length ?? HOW_MANY).toBe(HOW_MANY);
      },
    );
  });
});
