import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DeviceInventory, InventoryUnavailable } from "../control/inventory.ts";
import { commandRow } from "../core/socket/command.examples.ts";
import { END, GatewayWorld, START } from "./gateway.examples.ts";

let world: GatewayWorld;
beforeEach(async () => {
  world = await new GatewayWorld().start();
});
afterEach(() => world.stop());

const deployment = () => world.fetch(`deploymentBase/${world.row.action}`);
/** Enrolled, reported, its row inserted. */
const ready = async () => {
  await world.inventory.insertCommand(world.row);
  expect(await world.report()).toBe(200);
};

describe("a command through the gateway", () => {
  it("[S1] poll, deployment, proceeding, restart, success: the row follows, and the device is shown no more than its own links", async () => {
    await world.inventory.insertCommand(world.row);
    expect(Object.keys((await world.poll())._links), "it has to say first what it is").toEqual(["configData"]);
    await world.report();
    const base = `http://127.0.0.1:${world.port}/acme/controller/v1/S-2002`;
    expect((await world.poll())._links).toEqual({ deploymentBase: { href: `${base}/deploymentBase/${world.row.action}` } });
    expect(await (await deployment()).json()).toEqual({
      id: String(world.row.action),
      deployment: {
        download: "forced",
        update: "forced",
        maintenanceWindow: "available",
        chunks: [
          {
            part: "os",
            version: "18.3.3",
            name: "socket-18-3-3",
            artifacts: [
              {
                filename: "socket-18.3.3.swu",
                hashes: { sha256: "9f86d081".repeat(8) },
                size: 184_320_000,
                _links: { download: { href: "https://artifacts.example.com/socket-18.3.3.swu" } },
              },
            ],
          },
        ],
      },
    });
    expect(await world.command()).toMatchObject({ state: "Given", givenAt: START });
    expect(await world.feedback("proceeding", "none")).toBe(200);
    world.clock.calendar = END + 600_000;
    expect((await world.poll())._links.deploymentBase, "after its restart it looks for what it reports about").toBeDefined();
    expect((await deployment()).status).toBe(200);
    expect(await world.feedback("closed", "success")).toBe(200);
    expect(await world.command()).toMatchObject({ state: "Succeeded", proceedingAt: START, endedAt: END + 600_000, said: "told" });
    expect((await world.poll())._links).toEqual({});
    expect(world.checkins).toEqual(["ConfigData", "Deployment", "Deployment", "Nothing"]);
  });

  it("[S13] ten polls before the window show nothing, ask no API server, and the number of the action opens nothing either", async () => {
    await ready();
    world.clock.calendar = START - 1;
    for (let poll = 0; poll < 10; poll++) expect((await world.poll())._links).toEqual({});
    expect((await deployment()).status).toBe(404);
    expect((await world.command())?.state).toBe("Open");
    expect(world.views.looks).toBe(0);
  });

  it("[S13] a device that fetches ahead is told to wait: download forced, update skip; at its start the same becomes an order", async () => {
    await world.inventory.insertCommand(world.row);
    await world.report({ version: "17.2", prefetch: "true" });
    world.clock.calendar = START - 1_800_000;
    expect((await world.poll())._links.deploymentBase).toBeDefined();
    const ahead = (await (await deployment()).json()) as { deployment: Record<string, unknown> };
    expect(ahead.deployment).toMatchObject({ download: "forced", update: "skip", maintenanceWindow: "unavailable" });
    expect(await world.feedback("download", "none"), "it fetches, which begins nothing").toBe(200);
    expect(await world.feedback("proceeding", "none"), "it was not told to").toBe(404);
    expect((await world.command())?.state).toBe("Open");
    world.clock.calendar = START;
    expect(((await (await deployment()).json()) as typeof ahead).deployment).toMatchObject({
      update: "forced",
      maintenanceWindow: "available",
    });
    expect((await world.command())?.state).toBe("Given");
  });

  it("[S3] its partner polls no more while the row stands open: it is given nothing, and as soon as the partner is back it is", async () => {
    await ready();
    await world.enroll("S-2001", world.row.account);
    const { view } = world.views;
    world.views.view = { ...view, site: { ...view.site!, partners: ["S-2001"] } };
    const partner = { account: world.row.account, serial: "S-2001", hintMilliseconds: 300_000 };
    await world.inventory.poll(partner, START - 630_001);
    world.real += 630_001;
    await world.poll();
    await world.report({ version: "17.2" });
    expect((await world.poll())._links).toEqual({});
    expect((await deployment()).status).toBe(404);
    expect((await world.command())?.state).toBe("Open");
    await world.inventory.poll(partner, START);
    expect((await world.poll())._links.deploymentBase).toBeDefined();
    expect((await deployment()).status).toBe(200);
    expect((await world.command())?.state).toBe("Given");
  });

  it("[S1] taken back before it asked, it is not there: of withdraw and give one wins", async () => {
    await ready();
    expect((await world.poll())._links.deploymentBase).toBeDefined();
    await world.inventory.act(world.row.id, "withdraw", START);
    expect((await deployment()).status).toBe(404);
  });

  it("[I3] the clock is read again before the answer is written: stopped between statement and answer, it shows nothing", async () => {
    await ready();
    const give = world.inventory.give.bind(world.inventory);
    world.inventory.give = async (...args) => {
      const given = await give(...args);
      world.clock.calendar = END + 3_600_000;
      return given;
    };
    expect((await deployment()).status).toBe(404);
    expect((await world.command())?.state, "the device has it for all that is known").toBe("Given");
    expect((await world.poll())._links).toEqual({});
  });

  it("[G15] a view that froze offers nothing; nor one that froze between look and answer", async () => {
    await ready();
    world.views.fresh = false;
    expect((await world.poll())._links).toEqual({});
    expect((await deployment()).status).toBe(404);
    world.views.fresh = true;
    const give = world.inventory.give.bind(world.inventory);
    world.inventory.give = async (...args) => {
      world.views.fresh = false;
      return give(...args);
    };
    expect((await deployment()).status).toBe(404);
  });

  it("[S1] an inventory restored from yesterday: a row that the site's status does not name is given to nobody", async () => {
    await ready();
    world.views.view = world.viewNaming("site-berlin.1.S-2002.2");
    expect((await world.poll())._links).toEqual({});
    expect((await deployment()).status).toBe(404);
    expect((await world.command())?.state).toBe("Open");
  });

  it("[S12] the installed base is what the device was given and says that it runs; nothing of it is an order", async () => {
    await ready();
    const installed = (action = world.row.action) => world.fetch(`installedBase/${action}`);
    expect((await installed()).status, "not given yet").toBe(404);
    await deployment();
    await world.feedback("closed", "success");
    expect((await installed()).status, "it reports 17.2").toBe(404);
    await world.report({ version: "18.3.3" });
    expect(await (await installed()).json()).toEqual({
      id: String(world.row.action),
      deployment: {
        download: "skip",
        update: "skip",
        maintenanceWindow: "unavailable",
        chunks: [{ part: "os", version: "18.3.3", name: "socket-18-3-3", artifacts: [] }],
      },
    });
    expect((await installed(world.row.action + 1)).status).toBe(404);
    const partner = await world.enroll("S-2001", "acme");
    const asPartner = { headers: { authorization: `TargetToken ${partner}` } };
    expect((await world.fetch(`/acme/controller/v1/S-2001/installedBase/${world.row.action}`, asPartner)).status, "[I15]").toBe(404);
  });

  it("[S14] a cancel is shown in place of the deployment, and confirmed it ends the row", async () => {
    await ready();
    await deployment();
    await world.inventory.requestCancel(world.row.id, START);
    const { cancelAction, deploymentBase } = (await world.poll())._links;
    expect([cancelAction?.href.split("/").slice(-2), deploymentBase]).toEqual([["cancelAction", String(world.row.action)], undefined]);
    expect(await (await world.fetch(`cancelAction/${world.row.action}`)).json()).toEqual({
      id: String(world.row.action),
      cancelAction: { stopId: String(world.row.action) },
    });
    expect(await world.feedback("closed", "success", `cancelAction/${world.row.action}/feedback`)).toBe(200);
    expect((await world.command())?.state).toBe("Withdrawn");
    expect((await world.fetch(`cancelAction/${world.row.action}`)).status).toBe(404);
  });

  it("[S14] polls come every 5 minutes, a tenth more or less; near the planned start every 10 s, and the first falls on it", async () => {
    const sleep = async () => (await world.poll()).config.polling.sleep;
    expect(await sleep()).toMatch(/^00:0(4:[3-5]|5:[0-3])\d$/);
    await world.inventory.planPolls({ serials: ["S-2002"], from: START - 1_800_000, until: END, first: START });
    world.clock.calendar = START - 1_800_000;
    expect(await sleep()).toMatch(/^00:00:(09|10|11)$/);
    world.clock.calendar = START - 3_400;
    expect(await sleep()).toBe("00:00:04");
    world.clock.calendar = END;
    expect(await sleep()).toMatch(/^00:0[45]/);
    expect((await world.inventory.devices(undefined, 1))[0]?.hintMilliseconds, "gaps are counted by what was told").toBeGreaterThan(
      200_000,
    );
  });
});

describe("[I15] who calls", () => {
  const as = (authorization: string, path = "") => world.fetch(path, { headers: { authorization } });

  it("wrong, expired, of another device, of another account, for an unknown serial: one answer for all", async () => {
    const other = await world.enroll("S-9", "other");
    const partner = await world.enroll("S-2001", "acme");
    const gateway = await world.enroll(undefined, "acme");
    const expired = await world.enroll("S-2003", "acme", { expiresAt: START });
    const refused = await Promise.all([
      as(""),
      as("Basic dXNlcjpwYXNz"),
      as(`TargetToken ${"x".repeat(43)}`),
      as(`TargetToken ${world.token}`, "/other/controller/v1/S-9"),
      as(`TargetToken ${world.token}`, "/acme/controller/v1/S-2001"),
      as(`TargetToken ${other}`),
      as(`TargetToken ${other}`, "/other/controller/v1/S-2002"),
      as(`TargetToken ${partner}`),
      as(`TargetToken ${expired}`, "/acme/controller/v1/S-2003"),
      as(`TargetToken ${gateway}`),
      as(`GatewayToken ${world.token}`),
      as(`GatewayToken ${gateway}`, "/other/controller/v1/S-9"),
      as(`GatewayToken ${gateway}`, "/acme/controller/v1/S-404"),
      world.fetch("/acme/controller/v1/S-404/configData", {
        method: "PUT",
        headers: { authorization: `GatewayToken ${gateway}` },
        body: '{"data":{}}',
      }),
    ]);
    const told = await Promise.all(refused.map(async (reply) => [reply.status, await reply.text()].join(" ")));
    expect(new Set(told)).toEqual(new Set(["401 write Authorization: TargetToken with the token that this device was enrolled with\n"]));
    expect((await as(`GatewayToken ${gateway}`)).status).toBe(200);
  });

  it("[S14] what speaks for a whole account leaves a device's hint as it was told", async () => {
    const authorization = `GatewayToken ${await world.enroll(undefined, "acme")}`;
    await world.inventory.planPolls({ serials: ["S-2002"], from: START, until: END, first: START });
    await as(authorization);
    const hint = async () => (await world.inventory.devices(undefined, 1))[0]?.hintMilliseconds;
    const told = await hint();
    expect(told).toBeLessThan(12_000);
    await world.fetch("configData", { method: "PUT", headers: { authorization }, body: '{"data":{"version":"17.2"}}' });
    expect(await hint()).toBe(told);
  });

  it("feedback about somebody else's, an unknown or an old action: not found, without a difference; repeated it is a success", async () => {
    const foreign = commandRow({ id: "foreign", action: 99, serial: "S-2001", site: { namespace: "acme", name: "bonn", uid: "u2" } });
    await world.enroll("S-2001", "acme");
    await world.inventory.insertCommand({ ...foreign, notBefore: START, notAfter: END });
    await world.inventory.give({ account: "acme", serial: "S-2001", action: 99 }, START);
    await ready();
    const statuses = await Promise.all([
      world.send("deploymentBase/99/feedback", { status: { execution: "closed", result: { finished: "failure" } } }),
      world.send("deploymentBase/98/feedback", { status: { execution: "closed", result: { finished: "failure" } } }),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([404, 404]);
    expect(await world.feedback("closed", "failure"), "not given yet").toBe(404);
    await deployment();
    expect(await world.feedback("closed", "failure")).toBe(200);
    expect(await world.feedback("closed", "success"), "late and repeated").toBe(200);
    expect((await world.command())?.state).toBe("Failed");
  });
});

describe("[G12] what is no good", () => {
  it.each([
    ["no JSON", "{", 400],
    ["another shape", "[1]", 400],
    ["an unknown word", '{"status":{"execution":"exploded"}}', 400],
    ["70,000 bytes", JSON.stringify({ status: { details: ["x".repeat(70_000)] } }), 413],
  ])("feedback that is %s is answered with a sentence, and changes nothing", async (_what, body, status) => {
    await ready();
    await deployment();
    const reply = await world.send(`deploymentBase/${world.row.action}/feedback`, body);
    expect([reply.status, (await reply.text()).length > 10]).toEqual([status, true]);
    expect((await world.command())?.state).toBe("Given");
  });

  it("feedback with a log line in Latin-1 is believed: the line loses letters, the result nothing", async () => {
    await ready();
    await deployment();
    const body = Buffer.from('{"status":{"execution":"closed","result":{"finished":"failure"},"details":["Gerät gestört"]}}', "latin1");
    const path = `deploymentBase/${world.row.action}/feedback`;
    expect((await world.fetch(path, { method: "POST", body, headers: { "content-type": "application/json" } })).status).toBe(200);
    expect((await world.command())?.state).toBe("Failed");
  });

  it("a body that never ends is refused at 64 kB, though no length was announced", async () => {
    const answered = await new Promise<number | undefined>((resolve) => {
      const headers = { authorization: `TargetToken ${world.token}`, "transfer-encoding": "chunked" };
      const sent = request({ port: world.port, host: "127.0.0.1", path: "/acme/controller/v1/S-2002/configData", method: "PUT", headers });
      sent.on("response", ({ statusCode }) => resolve(statusCode)).on("error", () => {});
      const push = () => void (sent.destroyed || sent.write("x".repeat(8_192), () => setImmediate(push)));
      push();
    });
    expect(answered).toBe(413);
  });

  it.each([
    ["/", 404],
    ["/acme/controller/v2/S-2002", 404],
    ["/acme/controller/v1/S-2002/deploymentBase/0", 404],
    ["/acme/controller/v1/S-2002/deploymentBase/12/feedback/x", 404],
    ["/acme/controller/v1/S-2002/softwaremodules/1/artifacts/..%2f..%2fetc%2fpasswd", 404],
    ["/acme/controller/v1/%zz", 404],
    [`/acme/controller/v1/${"S".repeat(600)}`, 404],
    ["/acme/controller/v1/S-2002?c=-12", 200],
    ["/acme/controller/v1/S-2002/installedBase/1", 404],
  ])("GET %s → %i", async (path, status) => {
    expect((await world.fetch(path)).status).toBe(status);
  });

  it("a method that is none of the call's is named; headers of more than 16 kB are refused; half a request gets no answer", async () => {
    const wrong = await world.fetch("", { method: "DELETE" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET"]);
    expect((await world.fetch("", { headers: { "x-large": "x".repeat(20_000) } })).status).toBe(431);
    const socket = connect(world.port, "127.0.0.1");
    socket.write("GET /acme/controller/v1/S-2002 HTTP/1.1\r\nauthoriz");
    socket.destroy();
    expect((await world.poll()).config).toBeDefined();
  });
});

describe("when something is away or too much", () => {
  it("[G9] without its inventory it answers 503 with Retry-After, to everything, and forgets nothing", async () => {
    await ready();
    const methods = ["authenticate", "poll", "report", "give", "feedback"] as const;
    const kept = methods.map((method) => world.inventory[method].bind(world.inventory) as () => unknown);
    const away = () => Promise.reject(new InventoryUnavailable("away", 7_200));
    Object.assign(world.inventory, Object.fromEntries(methods.map((method) => [method, away])) as Partial<DeviceInventory>);
    const replies = await Promise.all([world.fetch(""), deployment(), world.send("configData", { data: {} }, "PUT")]);
    expect(replies.map(({ status, headers }) => [status, headers.get("retry-after")])).toEqual(replies.map(() => [503, "8"]));
    Object.assign(world.inventory, Object.fromEntries(methods.map((method, index) => [method, kept[index]])));
    expect((await deployment()).status).toBe(200);
    expect(world.checkins.filter((answer) => answer === "Unavailable")).toHaveLength(1);
  });

  it("a defect is a 500 and a log line with its stack, and the next request is answered", async () => {
    const poll = world.inventory.poll.bind(world.inventory);
    world.inventory.poll = () => Promise.reject(new Error("a bug"));
    expect((await world.fetch("")).status).toBe(500);
    world.inventory.poll = poll;
    expect((await world.fetch("")).status).toBe(200);
    expect(world.said.filter((line) => line.startsWith("error") && line.includes("a bug"))).toHaveLength(1);
  });

  it("a device may come 20 times at once and then once a second; its partner is not held up by it", async () => {
    await world.stop();
    world = await new GatewayWorld().start({ limits: {} });
    const partner = await world.enroll("S-2001", "acme");
    const statuses = await Promise.all(Array.from({ length: 25 }, async () => (await world.fetch("")).status));
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(20);
    expect(statuses).toContain(429);
    const refused = await world.fetch("");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    const other = await world.fetch("/acme/controller/v1/S-2001", { headers: { authorization: `TargetToken ${partner}` } });
    expect(other.status).toBe(200);
  });

  it("an address that guesses tokens is refused before anybody looks them up", async () => {
    await world.stop();
    world = await new GatewayWorld().start({ limits: { address: { perSecond: 1, burst: 5 } } });
    let lookedUp = 0;
    const authenticate = world.inventory.authenticate.bind(world.inventory);
    world.inventory.authenticate = (...args) => {
      lookedUp += 1;
      return authenticate(...args);
    };
    const guess = { headers: { authorization: `TargetToken ${"x".repeat(43)}` } };
    const statuses = await Promise.all(Array.from({ length: 30 }, async () => (await world.fetch("", guess)).status));
    expect([new Set(statuses), lookedUp <= 6]).toEqual([new Set([401, 429]), true]);
  });
});
