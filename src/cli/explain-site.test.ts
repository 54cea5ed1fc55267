import { beforeEach, expect, it } from "vitest";
import { API_VERSION } from "../api/common.ts";
import { SOCKET_ROLLOUT, socketRolloutSpec, socketRolloutStatus } from "../api/socket-rollout.ts";
import { SOCKET_SITE, socketSiteSpec, socketSiteStatus } from "../api/socket-site.ts";
import { InventoryUnavailable } from "../control/inventory.ts";
import { commandRow } from "../core/socket/command.examples.ts";
import { inventoryOf, device } from "../core/socket-site/socket-site.examples.ts";
import { NAMESPACE } from "./accounts.ts";
import { Terminal } from "./cli.examples.ts";
import { registerExplain } from "./explain.ts";
import type { OpenSites } from "./explain-site.ts";

const NOW = Date.parse("2026-11-29T00:40:00Z");
const CLAIMED = "2026-11-29T00:35:30Z";
let terminal: Terminal;
let away: boolean;
let asked: unknown[];
let closed: number;
beforeEach(() => {
  [away, asked, closed] = [false, [], 0];
  const open: OpenSites = () =>
    Promise.resolve({
      site: async (of) => {
        asked.push(of);
        if (away) throw new InventoryUnavailable("The inventory did not answer.");
        const row = commandRow({ id: "c1", serial: "S-2002", state: "Given", givenAt: Date.parse("2026-11-29T00:36:10Z") });
        return inventoryOf([device("S-2001"), device("S-2002", { polledMilliseconds: 4_000 })], { commands: new Map([["c1", row]]) });
      },
      close: () => Promise.resolve(void (closed += 1)),
    });
  const none = () => Promise.reject(new Error("nobody asks for Clients"));
  terminal = new Terminal({ now: NOW, commands: (program, io) => registerExplain(program, io, none, open) });
});

const sockets = ["S-2001", "S-2002"].map((serial, nth) => ({ serial, role: nth === 0 ? "Primary" : "Secondary" }));
const givenSite = (status: object) =>
  terminal.given(
    SOCKET_SITE,
    {
      apiVersion: API_VERSION,
      kind: "SocketSite",
      metadata: { name: "berlin", namespace: "ns-acme" },
      spec: socketSiteSpec.parse({ timeZone: "Europe/Berlin", sockets }),
    },
    socketSiteStatus.parse(status),
  );

it("[S1] with --inventory it asks for the account of the namespace and says how far the Socket in hand is; away, what the status says", async () => {
  await terminal.cluster.create(NAMESPACE, { metadata: { name: "ns-acme", labels: { "rollward.dev/account": "acme" } } });
  const command = {
    id: "c1",
    serial: "S-2002",
    version: "18.3.3",
    notBefore: CLAIMED,
    notAfter: "2026-11-29T00:58:00Z",
    claimedAt: CLAIMED,
    state: "Open",
  };
  const upgrade = { version: "18.3.3", rollout: { name: "s", uid: "u" }, cause: "Rollout", step: "InProgress", since: CLAIMED, command };
  await givenSite({ lowestVersion: "17.2", upgrade });
  await terminal.run("explain site/ns-acme/berlin");
  expect([terminal.printed.includes("ran 17.2 Sunday"), asked]).toEqual([true, []]);
  await terminal.run("explain site/ns-acme/berlin --inventory sqlite:x");
  expect(asked).toMatchObject([{ account: "acme", serials: ["S-2001", "S-2002"], named: "c1" }]);
  expect(terminal.printed).toContain("(fetched Sunday 2026-11-29 01:36:10 Europe/Berlin");
  away = true;
  await terminal.run("explain site/ns-acme/berlin --inventory sqlite:x");
  expect(terminal.printed).toContain("The inventory did not answer. What follows is what the status says.");
  expect([terminal.code, closed]).toEqual([0, 2]);
});

it("[S10] the ramp of a site that it has not reached, and a rollout that counts no site, are looked up for whoever may", async () => {
  const artifact = { url: "socket.swu", sha256: "a".repeat(64), size: 10 };
  const spec = socketRolloutSpec.parse({
    version: "18.3.3",
    announcedAt: "2026-11-20T09:00:00Z",
    artifact,
    ramp: [
      { percent: 1, for: "168h" },
      { percent: 100, for: "168h" },
    ],
  });
  const ramp = { step: 0, percent: 1, opened: [{ percent: 1, at: "2026-11-27T09:00:00Z" }], timer: { since: "2026-11-27T09:00:00Z" } };
  const numbers = { sites: 0, inRamp: 0, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 };
  const draft = { apiVersion: API_VERSION, kind: "SocketRollout", metadata: { name: "s", namespace: "fleet" }, spec } as const;
  await terminal.given(SOCKET_ROLLOUT, draft, socketRolloutStatus.parse({ ramp, numbers }));
  const message =
    "version 18.3.3 (SocketRollout s) goes to a share of the sites that grows step by step, and this one is not among them yet";
  await givenSite({ lowestVersion: "17.2", holds: [{ rule: "S10", reason: "NotInRamp", message }] });
  await terminal.run("explain site/ns-acme/berlin");
  expect(terminal.printed).toContain("It is among the sites of the step to 100 %, which opens Friday 2026-12-04 10:00 Europe/Berlin");
  await terminal.run("explain sockro/s");
  expect(terminal.printed).toContain("No site counts of 1: 1 with a Socket that has not said what it runs;");
  expect(terminal.printed).toContain("100 % from 2026-12-04T09:00:00Z, if nothing holds it");
});
