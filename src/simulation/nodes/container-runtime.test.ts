import { describe, expect, test } from "vitest";
import { sessionPortOf } from "./container-runtime.ts";

describe("sessions come", () => {
  test("on the port named session, whatever its number, and not on another one's 7000", () => {
    const session = { name: "session", containerPort: 9000 };
    expect(sessionPortOf([{ name: "admin", containerPort: 7000 }, session])).toBe(session);
  });

  test("on 7000 where no port is named session: a template that calls it something else holds sessions all the same", () => {
    const tunnel = { name: "tunnel", containerPort: 7000 };
    expect(sessionPortOf([{ name: "health", containerPort: 8080 }, tunnel])).toBe(tunnel);
  });

  test("nowhere where neither is declared", () => {
    expect(sessionPortOf([{ name: "health", containerPort: 8080 }, { containerPort: 9000 }])).toBeUndefined();
  });
});
