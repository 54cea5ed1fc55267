import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InventoryUnavailable } from "../../control/inventory.ts";
import { account, clientRollout, inPhase, inStage } from "../../core/client/client.examples.ts";
import { ClientWorld } from "./clients.examples.ts";

let world: ClientWorld;
beforeEach(async () => {
  world = await new ClientWorld().start();
});
afterEach(() => world.stop());

const PATIENCE = { timeout: 5_000, interval: 20 };
const FAILED = { type: 3, result: 0, errorCode: -2_147_219_198 };
const offered = ({ updatecheck }: { readonly updatecheck?: { readonly status: string } }) => updatecheck?.status === "ok";

describe("a check-in over the wire", () => {
  it("[C3] a device whose phase has come is offered the version: where it lies, its digest, and the part of the fleet it is in", async () => {
    const app = await world.check();
    expect(app).toMatchObject({
      status: "ok",
      cohort: expect.stringMatching(/^5\.12\.3\/phase-[123]$/) as string,
      updatecheck: {
        status: "ok",
        _experience: "Silent",
        urls: { url: [{ codebase: "https://artifacts.example.com/" }] },
        manifest: {
          version: "5.12.3",
          packages: { package: [{ name: "client-5.12.3.msi", hash_sha256: "9f86d081".repeat(8), size: 48_000_000 }] },
        },
      },
    });
    await expect
      .poll(() => world.known(), PATIENCE)
      .toMatchObject({
        os: "Windows",
        version: "5.11.0",
        user: "anna@acme.example",
        attempts: [{ rollout: "uid-windows-5-12-3", offeredAt: world.clock.calendar, failures: 0 }],
      });
    expect(world.answers).toEqual(["Offer"]);
  });

  it("says the same in XML and in JSON, for protocol 3.0 and 3.1, with the token in a header or in the address", async () => {
    const xml =
      '<request protocol="3.0" machineid="d-1"><app appid="rollward.client.windows" version="5.11.0"><updatecheck/><ping r="1"/></app></request>';
    const path = `/omaha/v1/acme/${world.tokens["acme"]}`;
    const response = await fetch(`http://127.0.0.1:${world.port}${path}`, { method: "POST", body: xml });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/xml; charset=utf-8"]);
    const body = await response.text();
    expect(body).toContain('<response protocol="3.0" server="rollward">');
    expect(body).toContain('<manifest version="5.12.3"><actions/><packages><package name="client-5.12.3.msi"');
    expect(body).toContain('<ping status="ok"/>');
  });

  it("[C7] every reason is a noupdate with its sentence, and is counted by its name", async () => {
    const reasonOf = async (device: string, more = {}) => (await world.check({ machineid: device, ...more })).updatecheck?._reason;
    const { acme } = world.views.accounts;
    world.views.accounts = { acme: { ...acme!, policy: { ...acme!.policy!, upgrade: "Managed" } } };
    expect(await reasonOf("d-1")).toBe("PolicyManaged: the account manages Clients on Windows itself");
    world.views.accounts = { acme: account({ pause: { version: "5.12.3", reason: "our own freeze", until: "2027-01-08T00:00:00Z" } }) };
    expect(await reasonOf("d-2")).toBe("PausedByAccount: the account paused 5.12.3: our own freeze (until 2027-01-08T00:00:00Z)");
    world.views.accounts = { acme: account() };
    world.views.show(clientRollout({ spec: { requested: "Paused", reason: "a crash in Lyon" }, status: inPhase(3, 100, 100) }));
    expect(await reasonOf("d-3")).toBe("Paused: 5.12.3 is paused: a crash in Lyon");
    world.views.show(clientRollout({ status: inPhase(1, 1, 1) }));
    expect(await reasonOf("d-4")).toMatch(/^NotInPhase: /);
    world.views.show(clientRollout({ status: inStage("Pilot") }));
    expect(await reasonOf("d-5")).toMatch(/^AwaitingEvidence: /);
    world.views.show(clientRollout({ status: inPhase(3, 100, 100), spec: { floors: [{ version: "5.11.4" }] } }));
    expect(await reasonOf("d-6")).toBe("BelowFloor: it has to go to 5.11.4 or a newer version before 5.12.3");
    expect(await reasonOf("d-7", { version: "5.12.3.0" })).toBe("UpToDate: it runs 5.12.3");
    expect(await reasonOf("d-8", { version: "6.0.0" })).toMatch(/^OlderVersion: /);
    expect(await reasonOf("d-9", { version: "5.11.5", updatecheck: { targetversionprefix: "5.11." } })).toMatch(/^RefusedByClient: /);
    world.views.offers = false;
    expect(await reasonOf("d-10")).toMatch(/^ViewTooOld: /);
    expect(world.answers.slice(0, 4)).toEqual(["PolicyManaged", "PausedByAccount", "Paused", "NotInPhase"]);
  });

  it("[G8] three failed check-ins are the verdict, told at once or hours later; a request that is repeated counts once", async () => {
    await world.check();
    await world.report(FAILED, "r-1");
    await world.report(FAILED, "r-1");
    expect(offered(await world.check({}, { requestid: "r-2" }))).toBe(true);
    expect(await world.known()).toMatchObject({ attempts: [{ failures: 1, errorCode: -2_147_219_198 }] });
    await world.report(FAILED, "r-3");
    const event = [{ eventtype: 3, eventresult: 0 }];
    const last = await world.check({ event }, { requestid: "r-4" });
    expect(last.updatecheck?._reason, "the third one comes with the question itself").toMatch(/^FailedBefore: /);
    expect((await world.check({}, { requestid: "r-5" })).updatecheck?._reason).toMatch(/^FailedBefore: /);
    expect(await world.known()).toMatchObject({ attempts: [{ failures: 3 }] });
  });

  it("[C4] what it says it runs confirms, and no success that it tells; a cancelled one is no failure", async () => {
    await world.check();
    await world.report({ type: 3, result: 4 }, "r-1");
    await world.report({ type: 13, result: 1 }, "r-2");
    await world.report({ type: 3, result: 1 }, "r-3");
    await expect.poll(() => world.known(), PATIENCE).toMatchObject({ attempts: [{ attemptedAt: world.clock.calendar, failures: 0 }] });
    expect((await world.known())!.attempts[0]!.confirmedAt).toBeUndefined();
    expect((await world.check({ version: "5.12.3" })).updatecheck?.status).toBe("noupdate");
    await expect.poll(async () => (await world.known())!.attempts[0]!.confirmedAt, PATIENCE).toBe(world.clock.calendar);
  });

  it("it runs one version and is offered the next: the first is confirmed although nobody offered it", async () => {
    const older = clientRollout({ name: "windows-5-12-2", spec: { version: "5.12.2" }, status: inPhase(3, 100, 100) });
    world.views.show(older, clientRollout({ status: inPhase(3, 100, 100) }));
    expect(offered(await world.check({ version: "5.12.2" }, { requestid: "r-1" }))).toBe(true);
    await expect.poll(async () => (await world.known())?.attempts.length, PATIENCE).toBe(2);
    const attempts = (await world.known())!.attempts;
    expect(attempts.find(({ rollout }) => rollout === "uid-windows-5-12-2")?.confirmedAt).toBe(world.clock.calendar);
    expect(attempts.find(({ rollout }) => rollout === "uid-windows-5-12-3")?.offeredAt).toBe(world.clock.calendar);
  });

  it("several apps in one request are answered each for itself, in their order", async () => {
    const apps = await world.request([
      { updatecheck: {} },
      { appid: "somebody.else", updatecheck: {} },
      { appid: "rollward.client", updatecheck: {}, machineid: "d-2" },
      { appid: "rollward.client.linux", updatecheck: {}, machineid: "d-3", version: "1.0" },
      { appid: "rollward.client.macos", updatecheck: {} },
    ]);
    expect(apps.map(({ status }) => status)).toEqual([
      "ok",
      "error-unknownApplication",
      "error-osnotsupported",
      "ok",
      "error-invalidAppId",
    ]);
    expect(apps[3]!.updatecheck?._reason).toBe("NothingAnnounced: no version is announced for Linux");
    const [named] = await world.request([{ appid: "ROLLWARD.client", updatecheck: {} }], { os: { platform: "Mac OS X" } });
    expect(named!.updatecheck?._reason).toMatch(/for macOS$/);
    const [nameless] = await world.request([{ updatecheck: {} }], { machineid: "" });
    expect(nameless!.updatecheck?._reason).toBe("NoDevice: the request names no device; write its machineid");
  });

  it("[C2] whose computer it is says the directory, and of one that it does not name the Client itself", async () => {
    world.views.show(clientRollout({ status: inStage("Pilot") }));
    expect(offered(await world.check())).toBe(false);
    await world.clients.importDirectory("acme", [{ user: "Boris@acme.example", groups: ["it"], devices: ["D-1"] }]);
    await world.stop();
    world = await new ClientWorld(undefined, undefined, world.clients).start();
    world.views.show(clientRollout({ status: inStage("Pilot") }));
    expect(offered(await world.check()), "anna says it, and it is Boris's").toBe(true);
    expect((await world.check({ machineid: "d-2" })).cohort).toBe("waiting");
    expect(offered(await world.check({ machineid: "d-3", user: "BORIS@acme.example" })), "his second computer").toBe(true);
    await expect.poll(async () => (await world.known())?.user, PATIENCE).toBe("Boris@acme.example");
    expect((await world.known())?.attempts).toMatchObject([{ stage: "pilot", pilot: true }]);
  });
});

describe("[I15] who calls", () => {
  it("unknown account, no token, another account's, a Socket's: one answer for all", async () => {
    const body = '{"request":{"protocol":"3.1","app":[{"appid":"rollward.client.windows","machineid":"d-1","updatecheck":{}}]}}';
    const [socket, gateway] = [await world.enroll("acme", "S-1001"), await world.enroll("acme")];
    const { acme, globex } = world.tokens;
    const refused = await Promise.all([
      world.send(body, {}, "/omaha/v1/nobody"),
      world.send(body, { authorization: "" }),
      world.send(body, { authorization: `ClientToken ${globex}` }),
      world.send(body, { authorization: `GatewayToken ${acme}` }),
      world.send(body, { authorization: `ClientToken ${socket}` }),
      world.send(body, { authorization: `ClientToken ${gateway}` }),
      fetch(`http://127.0.0.1:${world.port}/omaha/v1/acme/${globex}`, { method: "POST", body }),
      fetch(`http://127.0.0.1:${world.port}/omaha/v1/globex/${acme}`, { method: "POST", body: "no JSON at all" }),
      // What can be no token by its length or its letters, also beside a good one.
      world.send(body, { authorization: "" }, "/omaha/v1/acme/forged"),
      world.send(body, {}, "/omaha/v1/acme/for%20ged-but-long-enough"),
      world.send(body, { authorization: "" }, `/omaha/v1/acme/${"x".repeat(257)}`),
    ]);
    const told = await Promise.all(refused.map(async (reply) => `${reply.status} ${await reply.text()}`));
    expect(new Set(told).size).toBe(1);
    expect(told[0]).toMatch(/^401 /);
    expect(world.answers).toEqual(Array(11).fill("Unauthorized"));
  });

  it("the token that lies on every computer of the account speaks for none of its Sockets", async () => {
    await world.enroll("acme", "S-1001");
    for (const scheme of ["GatewayToken", "TargetToken", "ClientToken"]) {
      const headers = { authorization: `${scheme} ${world.tokens["acme"]}` };
      for (const account of ["acme", "clients:acme"]) {
        const { status } = await fetch(`http://127.0.0.1:${world.port}/${account}/controller/v1/S-1001`, { headers });
        expect([401, 404]).toContain(status);
      }
    }
  });

  it("the same device name in two accounts is two devices", async () => {
    await world.check();
    const body =
      '{"request":{"protocol":"3.1","machineid":"d-1","app":[{"appid":"rollward.client.windows","version":"1.0","updatecheck":{}}]}}';
    await world.send(body, { authorization: `ClientToken ${world.tokens["globex"]}` }, "/omaha/v1/globex");
    await expect.poll(async () => (await world.known("d-1", "globex"))?.version, PATIENCE).toBe("1.0");
    expect((await world.known())?.version).toBe("5.11.0");
  });
});

describe("[I19] what is no good", () => {
  it.each([
    ["no JSON", "{", {}, 400, "no JSON"],
    ["no XML", "<request", {}, 400, "no XML"],
    ["an entity bomb", '<!DOCTYPE request [<!ENTITY a "lol">]><request/>', {}, 400, "document type"],
    ["another protocol", '{"request":{"protocol":"4.0","app":[{}]}}', {}, 400, "3.0 and 3.1"],
    ["too deep", "<request>".repeat(20), {}, 400, "deeper"],
    ["70,000 bytes", "x".repeat(70_000), {}, 413, "65536"],
    ["compressed", "x", { "content-encoding": "gzip" }, 415, "not compressed"],
    // Read all the same, Müller's and Möller's computers would be one.
    ["Latin-1", Buffer.from('{"request":{"protocol":"3.1","machineid":"Müller"}}', "latin1"), {}, 400, "UTF-8"],
  ] as const)("a body that is %s is told what is wrong, and nothing is kept", async (_, body, headers, status, sentence) => {
    const reply = await world.send(body, headers);
    expect([reply.status, await reply.text()]).toEqual([status, expect.stringContaining(sentence)]);
    expect(world.answers).toEqual(["Unreadable"]);
    expect(await world.clients.deviceCounts()).toEqual(new Map());
  });

  it("a method and paths that are none of ours", async () => {
    const got = await fetch(`http://127.0.0.1:${world.port}/omaha/v1/acme/${world.tokens["acme"]}`);
    expect([got.status, got.headers.get("allow"), await got.text()]).toEqual([405, "POST", "a check-in is a POST\n"]);
    for (const path of ["/omaha/v1/", "/omaha/v1/acme/artifacts", "/omaha/v1/acme/artifacts/..%2fetc", "/omaha/v2/acme"]) {
      expect((await world.send("{}", {}, path)).status, path).toBe(404);
    }
  });

  it("new devices without end: so many are kept, the others are answered and not kept, and globex does not feel it", async () => {
    await world.stop();
    world = await new ClientWorld(30, { perSecond: 1e-9, burst: 40 }).start({ limits: { account: { perSecond: 1e6, burst: 1e6 } } });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => world.check({ machineid: `made-up-${n}` })));
    expect(answers.filter(offered)).toHaveLength(30);
    expect(answers.find((one) => !offered(one))?.updatecheck?._reason).toBe(
      "NotKept: the account has 30 devices already, and no more are kept; ask the provider",
    );
    await expect.poll(() => world.clients.deviceCounts(), PATIENCE).toEqual(new Map([["acme", 30]]));
    const body =
      '{"request":{"protocol":"3.1","machineid":"g-1","app":[{"appid":"rollward.client.windows","version":"1.0","updatecheck":{}}]}}';
    const reply = await world.send(body, { authorization: `ClientToken ${world.tokens["globex"]}` }, "/omaha/v1/globex");
    expect(await reply.text()).toContain("5.12.3");
    expect(offered(await world.check({ machineid: "made-up-0" })), "who is kept goes on").toBe(true);
  });

  it("new devices too fast: the bucket of the account is empty, and they are taken at a later check-in", async () => {
    await world.stop();
    world = await new ClientWorld(undefined, { perSecond: 1e-9, burst: 5 }).start();
    const answers = await Promise.all(Array.from({ length: 15 }, (_, n) => world.check({ machineid: `m-${n}` })));
    expect(answers.filter(offered)).toHaveLength(5);
    expect(answers.filter(({ updatecheck }) => updatecheck?._reason?.startsWith("NotKept: too many new devices") === true)).toHaveLength(
      10,
    );
  });

  it("one device in a loop, and one account in a loop, are told to wait", async () => {
    await world.stop();
    world = await new ClientWorld().start({ limits: { client: { perSecond: 0.1, burst: 1 }, account: { perSecond: 0.1, burst: 3 } } });
    await world.check();
    const body = '{"request":{"protocol":"3.1","machineid":"d-1","app":[{"appid":"rollward.client.windows"}]}}';
    const again = await world.send(body);
    expect([again.status, again.headers.get("x-retry-after")]).toEqual([429, again.headers.get("retry-after")]);
    await world.check({ machineid: "d-2" });
    expect((await world.send(body.replace("d-1", "d-3"))).status).toBe(429);
  });
});

describe("[G15] while something is away", () => {
  it("the inventory: 503 with the time to come again, and nothing is offered", async () => {
    const known = world.clients.known.bind(world.clients);
    world.clients.known = () => Promise.reject(new InventoryUnavailable("away", 7_000));
    const body = '{"request":{"protocol":"3.1","machineid":"d-1","app":[{"appid":"rollward.client.windows","updatecheck":{}}]}}';
    const reply = await world.send(body);
    expect([reply.status, reply.headers.get("retry-after"), reply.headers.get("x-retry-after")]).toEqual([503, "7", "7"]);
    world.clients.known = known;
    expect(offered(await world.check())).toBe(true);
    expect(world.answers).toEqual(["Unavailable", "Offer"]);
  });

  it("[G8] what cannot be written is not offered a second time, whoever reads it: it might have been the last failure", async () => {
    const record = world.clients.record.bind(world.clients);
    world.clients.record = () => Promise.reject(new InventoryUnavailable("the disk is full"));
    expect(offered(await world.check())).toBe(true);
    const body = '{"request":{"protocol":"3.1","machineid":"d-1","app":[{"appid":"rollward.client.windows","updatecheck":{}}]}}';
    await expect.poll(async () => (await world.send(body)).status, PATIENCE).toBe(503);
    expect(offered(await world.check({ machineid: "d-2" })), "the others go on").toBe(true);
    world.clients.record = record;
    await expect.poll(async () => (await world.send(body)).status, PATIENCE).toBe(200);
    expect((await world.known())?.attempts).toMatchObject([{ offeredAt: world.clock.calendar }]);
    expect(world.said.filter((line) => line.startsWith("warn"))).toHaveLength(1);
  });

  it("[C5] a pause that is confirmed while an offer is on its way: the offer is not written", async () => {
    const { views } = world;
    const mayOffer = views.mayOffer.bind(views);
    let asked = 0;
    // Asked first when it is answered, then when it is written.
    views.mayOffer = () => ((asked += 1) === 1 ? mayOffer() : false);
    const body = '{"request":{"protocol":"3.1","machineid":"d-1","app":[{"appid":"rollward.client.windows","updatecheck":{}}]}}';
    expect((await world.send(body)).status).toBe(503);
    views.mayOffer = mayOffer;
    const seen = views.seen.bind(views);
    let looks = 0;
    views.seen = () => {
      looks += 1;
      if (looks === 3) world.views.show(clientRollout({ spec: { requested: "Paused" }, status: inPhase(3, 100, 100) }));
      return seen();
    };
    expect((await world.send(body)).status).toBe(503);
    views.seen = seen;
    expect((await world.check()).updatecheck?._reason).toMatch(/^Paused/);
  });
});

describe("a file of the gateway's own folder", () => {
  const content = Buffer.from("a client");
  let folder: string;
  beforeEach(async () => {
    await world.stop();
    folder = mkdtempSync(join(tmpdir(), "rollward-client-files-"));
    world = await new ClientWorld().start({}, { artifacts: folder });
    const artifact = { url: "client.msi", sha256: createHash("sha256").update(content).digest("hex"), size: content.length };
    world.views.show(clientRollout({ spec: { artifact }, status: inPhase(3, 100, 100) }));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is fetched where the offer says, by who may ask; nothing else of the folder is", async () => {
    writeFileSync(join(folder, "client.msi"), content);
    writeFileSync(join(folder, "secret"), "x");
    const { updatecheck } = await world.check();
    const codebase = updatecheck!.urls!.url[0]!.codebase;
    expect(codebase).toBe(`http://127.0.0.1:${world.port}/omaha/v1/acme/artifacts/`);
    const headers = { authorization: `ClientToken ${world.tokens["acme"]}` };
    expect(await (await fetch(`${codebase}client.msi`, { headers })).text()).toBe("a client");
    expect((await fetch(`${codebase}client.msi`)).status).toBe(401);
    expect((await fetch(`${codebase}secret`, { headers })).status).toBe(404);
    const tokened = `http://127.0.0.1:${world.port}/omaha/v1/acme/${world.tokens["acme"]}/artifacts/client.msi`;
    expect(await (await fetch(tokened)).text()).toBe("a client");
  });

  it("that is missing, or another one, is offered to nobody, and that is said once", async () => {
    expect((await world.check()).updatecheck?._reason).toBe("ArtifactMissing: the file of 5.12.3 is not to be had at this moment");
    expect((await world.check()).updatecheck?.status).toBe("noupdate");
    expect(world.said.filter((line) => line.includes("offered to nobody"))).toHaveLength(1);
    writeFileSync(join(folder, "client.msi"), content);
    expect(offered(await world.check())).toBe(true);
  });

  it("[C7] that is missing is known before a device asks, and until it is there", async () => {
    await world.lookAtFiles();
    expect([...world.missing()]).toEqual([
      ["uid-windows-5-12-3", `${join(folder, "client.msi")} could not be read (ENOENT); put the file there`],
    ]);
    writeFileSync(join(folder, "client.msi"), content);
    await world.lookAtFiles();
    expect(world.missing().size).toBe(0);
    rmSync(join(folder, "client.msi"));
    await world.lookAtFiles();
    expect(world.missing().size).toBe(1);
    world.views.show(clientRollout({ name: "other", status: inPhase(3, 100, 100) }));
    expect(world.missing().size, "its rollout is gone").toBe(0);
  });
});
