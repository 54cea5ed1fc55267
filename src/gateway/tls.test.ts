import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import type { TLSSocket } from "node:tls";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GatewayWorld } from "./gateway.examples.ts";

const hasOpenssl = (() => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

let folder: string;
let world: GatewayWorld;
const file = (name: string) => join(folder, name);
const openssl = (...args: readonly string[]) => void execFileSync("openssl", args, { stdio: "ignore" });

/** An authority, or the gateway's own certificate: signed by itself. */
const authority = (name: string, subject = name) => {
  const subjects = ["-subj", `/CN=${subject}`, "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
  openssl(
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    file(`${name}.key`),
    "-out",
    file(`${name}.pem`),
    ...subjects,
  );
};
/** A device's certificate, issued by an authority. */
const issue = (serial: string, by: string, name = `${by}-${serial}`) => {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file(`${name}.key`)];
  openssl("req", ...key, "-out", file(`${name}.csr`), "-subj", `/CN=${serial}`);
  const issuer = ["-CA", file(`${by}.pem`), "-CAkey", file(`${by}.key`), "-set_serial", String(name.length + Date.now())];
  openssl("x509", "-req", "-in", file(`${name}.csr`), ...issuer, "-out", file(`${name}.pem`), "-days", "2");
  return { cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)) };
};

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Whose certificate the gateway showed. */
  readonly shownBy: string;
}
const poll = (account: string, serial: string, more: { cert?: Buffer; key?: Buffer; token?: string } = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { token, ...pair } = more;
    const headers = token === undefined ? {} : { authorization: `TargetToken ${token}` };
    const path = `/${account}/controller/v1/${serial}`;
    const sent = request({ host: "127.0.0.1", port: world.port, path, headers, rejectUnauthorized: false, agent: false, ...pair });
    sent.on("error", reject).on("response", (response) => {
      const shown = (response.socket as TLSSocket).getPeerCertificate().subject.CN;
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => void (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, shownBy: String(shown) }));
    });
    sent.end();
  });

describe.skipIf(!hasOpenssl)("TLS of the gateway (openssl makes the certificates)", () => {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "gateway-tls-"));
    mkdirSync(file("authorities"));
    authority("server", "gateway");
    for (const account of ["acme", "other"]) {
      authority(account);
      writeFileSync(file(`authorities/${account}.pem`), readFileSync(file(`${account}.pem`)));
    }
    const tls = {
      certificate: file("server.pem"),
      key: file("server.key"),
      clientAuthorities: file("authorities"),
      lookEveryMilliseconds: 200,
    };
    world = await new GatewayWorld().start({ tls });
    await world.enroll("S-9", "other");
  });
  afterEach(async () => {
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  it("a token is enough, and links are https; without token and certificate nobody is known", async () => {
    const { status, body, shownBy } = await poll("acme", "S-2002", { token: world.token });
    expect([status, shownBy]).toEqual([200, "gateway"]);
    expect(body).toContain(`https://127.0.0.1:${world.port}/acme/controller/v1/S-2002/configData`);
    expect((await poll("acme", "S-2002")).status).toBe(401);
  });

  it("[I15] a certificate of the account's authority with the serial as its name is as good; any other is as good as none", async () => {
    const stranger = "stranger";
    authority(stranger);
    expect((await poll("acme", "S-2002", issue("S-2002", "acme"))).status).toBe(200);
    const refused = [
      await poll("acme", "S-2002", issue("S-2002", "other")),
      await poll("acme", "S-2002", issue("S-2001", "acme")),
      await poll("other", "S-9", issue("S-9", "acme")),
      await poll("acme", "S-2002", issue("S-2002", stranger)),
      // Of the right authority, and never enrolled: a certificate does not replace the registry.
      await poll("acme", "S-404", issue("S-404", "acme")),
    ];
    expect(refused.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    expect(new Set(refused.map(({ body }) => body)).size).toBe(1);
  });

  it("a renewed certificate is shown without a restart; a broken one changes nothing and is told", async () => {
    authority("next", "gateway renewed");
    writeFileSync(file("server.key"), readFileSync(file("next.key")));
    writeFileSync(file("server.pem"), readFileSync(file("next.pem")));
    await expect
      .poll(async () => (await poll("acme", "S-2002", { token: world.token })).shownBy, { timeout: 30_000 })
      .toBe("gateway renewed");
    writeFileSync(file("server.pem"), "broken");
    await expect.poll(() => world.said.some((line) => line.includes("the old one stays")), { timeout: 30_000 }).toBe(true);
    expect((await poll("acme", "S-2002", { token: world.token })).shownBy).toBe("gateway renewed");
    let looks = 0;
    const after = world.clock.after.bind(world.clock);
    world.clock.after = (milliseconds, act) => {
      looks += milliseconds === 200 ? 1 : 0;
      return after(milliseconds, act);
    };
    await expect.poll(() => looks, { timeout: 30_000 }).toBeGreaterThan(2);
    const times = (words: string) => world.said.filter((line) => line.includes(words)).length;
    expect(times("the old one stays"), "said once, however often it is looked").toBe(1);
    writeFileSync(file("server.pem"), readFileSync(file("next.pem")));
    await expect.poll(() => times("was read anew"), { timeout: 30_000 }).toBe(2);
  });
});
