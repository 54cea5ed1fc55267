import { expect, it, vi } from "vitest";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { RealWorld } from "./real-world.ts";
import { SUNDAY } from "./pops.ts";

const BINDING = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/rollward-accounts";

describeWithControlPlane("[T3] an operator without one of its rights", () => {
  it("[L] fails the test that it is in, which names the call that no role allowed", async () => {
    const world = await RealWorld.start({ start: SUNDAY, pops: { fra1: 1 } });
    await world.controlPlane.call("admin", "DELETE", BINDING);
    await world.startOperator();
    const sites = () => world.controlPlane.auditEntries(({ objectRef }) => objectRef?.resource === "socketsites");
    await vi.waitFor(() => expect(sites().map(({ responseStatus }) => responseStatus?.code)).toContain(403), { timeout: 60_000 });
    await expect(world.stop()).rejects.toThrow(/config\/rbac does not allow .*watch socketsites/);
  });
});
