import { describe, expect, it } from "vitest";
import { routeOf } from "./routes.ts";

const DEVICE = "/acme/controller/v1/S-1001";

describe("[I15] [I19] a path that climbs, or is written in another way, is nobody's", () => {
  it.each([
    `${DEVICE}/softwaremodules/1/artifacts/..`,
    `${DEVICE}/softwaremodules/1/artifacts/../../../etc/passwd`,
    `${DEVICE}/softwaremodules/1/artifacts/%2e%2e%2fetc%2fpasswd`,
    `${DEVICE}/softwaremodules/1/artifacts/..%2fsocket.swu`,
    `${DEVICE}/softwaremodules/1/artifacts/.hidden`,
    `${DEVICE}/softwaremodules/1/artifacts/a\\b`,
    `${DEVICE}/softwaremodules/1/artifacts/a%00b`,
    `${DEVICE}/softwaremodules/1/artifacts/${"a".repeat(256)}`,
    `${DEVICE}/softwaremodules/-1/artifacts/socket.swu`,
    `${DEVICE}/softwaremodules/1e3/artifacts/socket.swu`,
    `${DEVICE}/deploymentBase/99999999999`,
    `${DEVICE}/deploymentBase/1/`,
    `${DEVICE}/`,
    `/${DEVICE}`,
    "/acme/../other/controller/v1/S-1001",
    "/%61cme/controller/v1/S-1001",
    "//acme/controller/v1/S-1001",
    `http://elsewhere${DEVICE}`,
    `${DEVICE}?${"c".repeat(600)}`,
  ])("%s", (path) => expect(routeOf(path)).toBeUndefined());

  it("the same without the climbing is a device's own", () => {
    expect(routeOf(`${DEVICE}/softwaremodules/1/artifacts/socket-18.3.3.swu?c=1`)).toEqual({
      account: "acme",
      serial: "S-1001",
      to: "artifact",
      action: 1,
      file: "socket-18.3.3.swu",
    });
  });
});
