// Sockets in a network of their own process's, each poll of which is a new connection, as from a device that comes every five minutes; and
// one that does what it is told (its first serial). Prints a JSON line for each poll.
//
// argv: the account's address (https://NAME/acme/controller/v1), the file with the certificate's authority, JSON of [[serial, token], …].
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { plainDevice } from "../cluster/chart/plain-device.ts";

const [address = "", authority = "", devices = "[]"] = process.argv.slice(2);
const ca = readFileSync(authority);
const [first, ...others] = JSON.parse(devices) as [string, string][];
/** The gateway takes one call a second of a device, and some at once after a rest. */
const EVERY_MS = 1_500;
const ANSWER_WITHIN_MS = 2_000;

const say = (line: object): void => void process.stdout.write(`${JSON.stringify({ at: Date.now(), ...line })}\n`);

/** Resolves with what was answered, or with why nobody did. */
const poll = (serial: string, token: string): Promise<object> =>
  new Promise((done) => {
    const headers = { authorization: `TargetToken ${token}` };
    const settings = { ca, headers, agent: false, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
    const asked = request(`${address}/${serial}`, settings, (response) => {
      const said = { status: response.statusCode, retryAfter: response.headers["retry-after"] };
      response.resume();
      response.on("error", ({ message }) => done({ failed: message }));
      response.on("end", () => done(said));
    });
    asked.on("error", ({ message }) => done({ failed: message }));
    asked.end();
  });

async function pollForEver([serial, token]: [string, string]): Promise<void> {
  for (;;) {
    say({ type: "poll", serial, ...(await poll(serial, token)) });
    await sleep(EVERY_MS);
  }
}

async function obeyForEver([serial, token]: [string, string]): Promise<void> {
  const device = plainDevice(`${address}/${serial}`, token, "17.2");
  for (let told = ""; ; await sleep(EVERY_MS)) {
    const failed = await device.turn().then(
      () => undefined,
      (error: unknown) => String(error),
    );
    if (failed !== undefined) say({ type: "turn", failed });
    else if (told !== device.version) say({ type: "runs", version: (told = device.version) });
  }
}

if (first !== undefined) void obeyForEver(first);
for (const [index, device] of others.entries()) void sleep((index * EVERY_MS) / others.length).then(() => pollForEver(device));
process.stdin.on("end", () => process.exit(0)).resume();
