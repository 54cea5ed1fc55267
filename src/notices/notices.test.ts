import { createHmac } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Notice } from "../core/socket/notice.ts";
import { createNotices, type ClosableNotices, type NoticeSettings } from "./notices.ts";
import { hasOpenssl, Receiver } from "./receiver.examples.ts";
import { writtenSecret } from "./signature.ts";

const NOW = Date.parse("2026-11-24T12:00:00.400Z");
const HOST = "hooks.acme.example";
const KEY = "k".repeat(32);

const notice = (more: Partial<Notice> = {}): Notice => ({
  id: "n1",
  kind: "Planned",
  account: "acme",
  site: { namespace: "acme", name: "berlin", uid: "site-berlin" },
  sockets: [{ serial: "S-2001", version: "17.2" }, { serial: "S-2002" }],
  version: "18.3.3",
  start: Date.parse("2026-11-29T00:00:00Z"),
  zone: "Europe/Berlin",
  message: "berlin is upgraded to 18.3.3 in the window that opens Sunday 2026-11-29 01:00 Europe/Berlin.",
  releaseNotes: "https://example.org/notes",
  ...more,
});

describe.skipIf(!hasOpenssl)("notices to a real receiver over TLS (openssl makes the certificate)", () => {
  let receiver: Receiver;
  let elapsed: number;
  let said: string[];
  let sent: string[];
  const open: ClosableNotices[] = [];

  beforeEach(async () => {
    receiver = await Receiver.open([HOST, "127.0.0.1"]);
    [elapsed, said, sent] = [0, [], []];
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await receiver.close();
  });

  /** Names resolve to the receiver; it stands in the provider's own network, which the settings allow. */
  const settingsOf = (): NoticeSettings => ({
    clock: { now: () => NOW, elapsed: () => elapsed },
    allowed: { hosts: [], privateHosts: [HOST] },
    log: (_, message) => void said.push(message),
    userAgent: "rollward/test",
    key: KEY,
    onSent: (kind) => void sent.push(kind),
    resolve: () => Promise.resolve([{ address: "127.0.0.1" }]),
  });
  function notices(given: Partial<NoticeSettings> = {}): ClosableNotices {
    const made = createNotices({ ...settingsOf(), authorities: receiver.authority, ...given });
    open.push(made);
    return made;
  }
  const channel = (name = "operations", host = HOST, path = "/secret-path") => ({ name, url: `https://${host}:${receiver.port}${path}` });

  it("[W3] a 2xx is an acceptance: a CloudEvent 1.0 with site, Sockets, version and the planned start on both clocks", async () => {
    expect(await notices().send(notice(), [channel()])).toBe(true);
    const [{ method, path, headers, body } = expect.fail("nothing was received")] = receiver.received;
    expect([method, path]).toEqual(["POST", "/secret-path"]);
    expect(headers).toMatchObject({ "content-type": "application/cloudevents+json; charset=utf-8", host: `${HOST}:${receiver.port}` });
    expect(JSON.parse(body)).toEqual({
      specversion: "1.0",
      type: "dev.rollward.socket.Planned",
      source: "/apis/rollward.dev/v1alpha1/namespaces/acme/socketsites/berlin",
      subject: "acme/berlin",
      id: "n1",
      time: "2026-11-24T12:00:00Z",
      datacontenttype: "application/json",
      data: {
        account: "acme",
        site: { namespace: "acme", name: "berlin", uid: "site-berlin", timeZone: "Europe/Berlin" },
        sockets: [{ serial: "S-2001", version: "17.2" }, { serial: "S-2002" }],
        version: "18.3.3",
        plannedStart: { utc: "2026-11-29T00:00:00Z", local: "2026-11-29T01:00+01:00[Europe/Berlin]" },
        message: "berlin is upgraded to 18.3.3 in the window that opens Sunday 2026-11-29 01:00 Europe/Berlin.",
        releaseNotes: "https://example.org/notes",
      },
    });
    expect(sent).toEqual(["Planned"]);
  });

  it("[I15] it is signed by the account's own secret over id, time and body; another account's secret does not fit", async () => {
    await notices().send(notice(), [channel()]);
    const { headers, body } = receiver.received[0]!;
    const signature = (account: string) => {
      const secret = Buffer.from(writtenSecret(KEY, account).replace("whsec_", ""), "base64");
      return `v1,${createHmac("sha256", secret)
        .update(`n1.${NOW / 1000 - 0.4}.${body}`)
        .digest("base64")}`;
    };
    expect(headers).toMatchObject({ "webhook-id": "n1", "webhook-timestamp": "1795521600", "webhook-signature": signature("acme") });
    expect(headers["webhook-signature"]).not.toBe(signature("other"));
  });

  it.each([
    ["a redirect", 302],
    ["not found", 404],
    ["a refusal", 400],
    ["a fault", 500],
  ])("[W3] %s (%i) is no acceptance, and is not followed", async (_, status) => {
    receiver.answers = [(response) => response.writeHead(status, { location: `https://${HOST}:${receiver.port}/elsewhere` }).end()];
    expect(await notices().send(notice(), [channel()])).toBe(false);
    expect(receiver.received.map(({ path }) => path)).toEqual(["/secret-path"]);
    expect(sent).toEqual([]);
  });

  it("[W3] no answer within the deadline is no acceptance; the log names channel and host, never the path", async () => {
    receiver.answers = [() => {}];
    expect(await notices({ deadlineMilliseconds: 300 }).send(notice(), [channel()])).toBe(false);
    expect(said).toEqual([
      "channel operations of account acme takes no notices: hooks.acme.example could not be told (no answer in time); they are sent again until it does",
    ]);
  });

  it("[W3] a receiver that wants another protocol (101) has not taken it: one try, told at once, and the process can end", async () => {
    receiver.answers = [
      (response) => response.socket?.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
    ];
    const all = notices({ deadlineMilliseconds: 5_000 });
    const begun = performance.now();
    expect(await Promise.race([all.send(notice(), [channel()]), pause(4_000, "no answer")])).toBe(false);
    expect(said).toEqual(["channel operations of account acme takes no notices: it answered 101; they are sent again until it does"]);
    await all.close();
    expect(performance.now() - begun).toBeLessThan(4_000);
  });

  it("[W3] a defect in a notice, or in a copy of one, is told and is no acceptance; it ends no process", async () => {
    const broken = notice({ start: Number.NaN });
    expect(await notices().send(broken, [channel(), channel("copy", HOST, "/copy")])).toBe(false);
    expect(said.map((line) => line.split(" failed:")[0] ?? "").toSorted()).toEqual([
      "notice n1 (Planned) to channel copy of account acme",
      "notice n1 (Planned) to channel operations of account acme",
    ]);
  });

  it("[I15] a receiver that is away is left alone for 5 s, then 10: nobody's notice waits for its deadline meanwhile; others are not held up", async () => {
    const all = notices();
    receiver.statuses.set("/away", 503);
    const tried: boolean[] = [];
    for (const at of [0, 4_999, 5_000, 14_999, 15_000]) {
      elapsed = at;
      const before = receiver.received.length;
      expect(await all.send(notice({ id: `n${at}` }), [channel("operations", HOST, "/away")])).toBe(false);
      tried.push(receiver.received.length > before);
      expect(await all.send(notice({ account: "other", id: `o${at}` }), [channel("theirs")])).toBe(true);
    }
    expect(tried).toEqual([true, false, true, false, true]);
  });

  it("what the channel that counts did with the last notice is known until it takes one: without the path, and of no other account", async () => {
    const all = notices();
    const channels = [{ name: "refused", url: "https://elsewhere.example/" }, channel("operations", HOST, "/hooks/s3cret")];
    expect(all.problem("acme", channels)).toBeUndefined();
    receiver.answers = [(response) => response.writeHead(503).end()];
    await all.send(notice(), channels);
    expect(all.problem("acme", channels)).toBe("channel operations of account acme takes no notices: it answered 503");
    expect(all.problem("other", channels)).toBeUndefined();
    elapsed = 5_000;
    receiver.answers = [(response) => response.writeHead(422).end()];
    await all.send(notice(), channels);
    expect(all.problem("acme", channels)).toBe("channel operations of account acme does not take notice n1 (Planned): it answered 422");
    await all.send(notice(), channels);
    expect(all.problem("acme", channels)).toBeUndefined();
  });

  it("one notice that is not liked (400) holds up no other", async () => {
    const all = notices();
    receiver.answers = [(response) => response.writeHead(400).end()];
    expect([await all.send(notice(), [channel()]), await all.send(notice({ id: "n2" }), [channel()])]).toEqual([false, true]);
    expect(said).toEqual([
      "channel operations of account acme does not take notice n1 (Planned): it answered 400; it is sent again until it does",
    ]);
  });

  it("Retry-After is kept, up to a minute", async () => {
    const all = notices();
    receiver.answers = [(response) => response.writeHead(429, { "retry-after": "3600" }).end()];
    await all.send(notice(), [channel()]);
    elapsed = 59_999;
    expect(await all.send(notice(), [channel()])).toBe(false);
    elapsed = 60_000;
    expect(await all.send(notice(), [channel()])).toBe(true);
    expect(said.at(-1)).toBe("channel operations of account acme takes notices again");
  });

  it("[W3] the first channel that is not refused counts; the others get a copy, once, and decide nothing", async () => {
    const all = notices();
    const channels = [
      { name: "refused", url: "https://elsewhere.example/" },
      channel("first", HOST, "/first"),
      channel("copy", HOST, "/copy"),
    ];
    // Whichever of the two arrives first is refused: the copy by its own right, the first one until it is sent again.
    receiver.answers = [1, 2].map(() => (response) => response.writeHead(400).end());
    expect(await all.send(notice(), channels)).toBe(false);
    await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBe(2);
    expect(await all.send(notice(), channels)).toBe(true);
    await expect
      .poll(() => receiver.received.map(({ path }) => path).toSorted(), { timeout: 20_000 })
      .toEqual(["/copy", "/copy", "/first", "/first"]);
    expect(await all.send(notice(), channels)).toBe(true);
    await all.close();
    expect(receiver.received.filter(({ path }) => path === "/copy")).toHaveLength(2);
  });

  it("asked twice at once it is sent once; without any channel that is allowed nothing is", async () => {
    const all = notices();
    expect(await Promise.all([all.send(notice(), [channel()]), all.send(notice(), [channel()])])).toEqual([true, true]);
    expect(await all.send(notice(), [])).toBe(false);
    expect(await all.send(notice(), [{ name: "refused", url: "https://elsewhere.example/" }])).toBe(false);
    expect(receiver.received).toHaveLength(1);
  });

  it("a certificate of another name, or of an unknown authority, is no receiver", async () => {
    const named = notices({ allowed: { hosts: [], privateHosts: ["other.example"] } });
    expect(await named.send(notice(), [channel("operations", "other.example")])).toBe(false);
    expect(said[0]).toContain("other.example could not be told (ERR_TLS_CERT_ALTNAME_INVALID)");
    const unknown = createNotices(settingsOf());
    open.push(unknown);
    expect(await unknown.send(notice({ account: "third" }), [channel()])).toBe(false);
    expect(said.at(-1)).toContain("hooks.acme.example could not be told (DEPTH_ZERO_SELF_SIGNED_CERT)");
    expect(receiver.received).toEqual([]);
  });
  it("a name whose address is inside the provider's network is not called, unless it is listed for that", async () => {
    const outside = { hosts: [HOST, "*.acme.example"], privateHosts: [] };
    for (const addresses of [["127.0.0.1"], ["10.0.0.5"], ["169.254.169.254"], ["93.184.215.14", "192.168.1.1"], ["::1"]]) {
      const resolve = () => Promise.resolve(addresses.map((address) => ({ address })));
      expect(await notices({ allowed: outside, resolve }).send(notice(), [channel()])).toBe(false);
    }
    expect(new Set(said)).toEqual(
      new Set([
        "channel operations of account acme takes no notices: hooks.acme.example is an address of the provider's own network; only --notice-private-hosts may be; they are sent again until it does",
      ]),
    );
    expect(
      await notices({ allowed: { hosts: [], privateHosts: ["127.0.0.1"] } }).send(notice(), [channel("operations", "127.0.0.1")]),
    ).toBe(true);
    expect(receiver.received).toHaveLength(1);
  });

  it("[W3] an address of several that does not answer does not keep the notice from the next one", async () => {
    const resolve = () => Promise.resolve([{ address: "127.0.0.2" }, { address: "127.0.0.1" }]);
    expect(await notices({ resolve }).send(notice(), [channel()])).toBe(true);
    expect([receiver.received.length, said]).toEqual([1, []]);
    const nowhere = () => Promise.resolve([{ address: "127.0.0.2" }, { address: "127.0.0.3" }]);
    expect(await notices({ resolve: nowhere }).send(notice({ id: "n2" }), [channel()])).toBe(false);
    expect(said[0]).toContain("hooks.acme.example could not be told (ECONNREFUSED)");
  });

  it("[I15] a private host of one account takes no notice of another", async () => {
    const bound = notices({ allowed: { hosts: [], privateHosts: [`acme=${HOST}`] } });
    expect(await bound.send(notice({ account: "zeta" }), [channel()])).toBe(false);
    expect(await bound.send(notice(), [channel()])).toBe(true);
    expect(receiver.received).toHaveLength(1);
  });

  it("the address that was looked at is the one that is called: a name is resolved once for each try", async () => {
    let asked = 0;
    const resolve = () => Promise.resolve([{ address: asked++ === 0 ? "127.0.0.1" : "203.0.113.1" }]);
    expect(await notices({ resolve }).send(notice(), [channel()])).toBe(true);
    expect(asked).toBe(1);
  });

  it("a name that does not resolve is told, and what is under way ends when the process does", async () => {
    const gone = () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
    expect(await notices({ resolve: gone }).send(notice(), [channel()])).toBe(false);
    expect(said[0]).toContain("hooks.acme.example could not be found (ENOTFOUND)");
    receiver.answers = [() => {}];
    const all = notices();
    const sending = all.send(notice(), [channel()]);
    await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBe(1);
    await all.close();
    expect(await sending).toBe(false);
  });
});
