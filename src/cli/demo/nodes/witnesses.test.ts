import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmbeddedStage } from "../embedded-stage.ts";
import { firstAct } from "../first-act.ts";
import { PlainNarrator } from "../plain-narrator.ts";
import type { AuditedCall, DemoNodes } from "../ports.ts";
import { imageOf, REAL_NODES } from "./cast.ts";
import { RealPlay } from "./play.ts";
import { hearWitnesses } from "./witnesses.ts";

const NAMES = REAL_NODES.map(({ name }) => name);
const DIGEST = "sha256:0123456789abcdef";

const call = (objectRef: AuditedCall["objectRef"], more: Partial<AuditedCall>): AuditedCall => ({
  verb: "patch",
  requestURI: "/somewhere",
  userAgent: "rollward/1",
  user: { username: "operator" },
  objectRef: objectRef!,
  responseStatus: { code: 200 },
  ...more,
});
const ledger = call({ resource: "popclusters", subresource: "status", name: "tyo1" }, { verb: "update" });
const claim = (name: string, value: string): AuditedCall =>
  call({ resource: "nodes", name }, { requestObject: [{ op: "add", path: "/metadata/annotations/rollward.dev~1claim", value }] });
const oneByOne = NAMES.flatMap((name) => [claim(name, name), claim(name, `released:${name}`)]);

const running = (version: string, digest = DIGEST): string =>
  JSON.stringify({
    items: [
      {
        metadata: { namespace: "rollward-data-plane" },
        status: { containerStatuses: [{ image: imageOf(version), imageID: `registry.example/pop@${digest}`, state: { running: {} } }] },
      },
    ],
  });
const pull = (...versions: readonly string[]): string => versions.map((version) => `PullImage "${imageOf(version)}"\n`).join("");

/** Four nodes that have seen what they should have. */
const GOOD: DemoNodes = {
  directory: [],
  doorOf: () => ({ path: "/nowhere" }),
  enter: [],
  powerOff: () => Promise.resolve(),
  powerOn: () => Promise.resolve(),
  digest: () => DIGEST,
  askKubelet: () => Promise.resolve(running("2.1.0")),
  runtimeLog: (name) => pull("2.1.0", ...(name === NAMES[0] ? ["9.9.9"] : []), ...(name === NAMES[1] ? ["3.0.0-crash-loop"] : [])),
  audit: () => [ledger, ...oneByOne],
  stop: () => Promise.resolve(),
};
const SERVED = { rounds: 100, asked: 400, served: NAMES, maximumOut: { tyo1: { count: 1, at: 0, nodes: [NAMES[2]!] } } };

describe("the witnesses of the act on real nodes", () => {
  let stage: EmbeddedStage;
  beforeEach(async () => void (stage = await EmbeddedStage.open(firstAct().setting, new AbortController().signal)));
  afterEach(() => stage.close());

  const hear = async (changes: Partial<DemoNodes> = {}, watched = SERVED): Promise<number> => {
    const play = new RealPlay(stage, new PlainNarrator(() => {}), { ...GOOD, ...changes });
    try {
      play.watched = watched;
      await hearWitnesses(play);
      return play.told.claims;
    } finally {
      play.close();
    }
  };

  it("six claims hold when all of them say what was told", async () => {
    expect(await hear()).toBe(6);
  });

  it.each<[string, Partial<DemoNodes>, RegExp]>([
    [
      "a kubelet that runs another version",
      { askKubelet: (name) => Promise.resolve(running(name === NAMES[3] ? "2.0.0" : "2.1.0")) },
      /tyo1-n4 2\.0\.0/,
    ],
    ["a digest that the registry never served", { askKubelet: () => Promise.resolve(running("2.1.0", "sha256:other")) }, /sha256:other/],
    ["a kubelet that runs nothing of ours", { askKubelet: () => Promise.resolve("{}") }, /tyo1-n1 nothing/],
    ["two containerds that were told to pull the bad image", { runtimeLog: () => pull("9.9.9") }, /found: tyo1-n1, tyo1-n2/],
    ["a bad image that nobody was told to pull", { runtimeLog: () => pull("2.1.0") }, /nobody was/],
    ["two nodes in hand at once", { audit: () => [ledger, claim(NAMES[3]!, "a"), ...oneByOne] }, /2 at once/],
    ["a node that was never given back", { audit: () => [ledger, ...oneByOne.slice(0, -1)] }, /tyo1-n4 still in hand/],
    ["a node that was never taken", { audit: () => [ledger, ...oneByOne.slice(2)] }, /tyo1-n1 0×/],
    ["a ledger that another user wrote", { audit: () => [{ ...ledger, user: { username: "admin" } }, ...oneByOne] }, /calls by admin/],
    [
      "a call that was forbidden",
      { audit: () => [ledger, ...oneByOne, { ...ledger, responseStatus: { code: 403 } }] },
      /update \/somewhere forbidden/,
    ],
  ])("%s is found", async (_, changes, found) => {
    await expect(hear(changes)).rejects.toThrow(found);
  });

  it.each([
    ["two out at once", { ...SERVED, maximumOut: { tyo1: { count: 2, at: 0, nodes: NAMES.slice(0, 2) } } }, /at most 2 out/],
    ["nobody ever out, so that nothing was rolled", { ...SERVED, maximumOut: {} as typeof SERVED.maximumOut }, /at most 0 out/],
    ["a node that never served", { ...SERVED, served: NAMES.slice(1) }, /3 nodes seen to serve/],
  ])("who asked the nodes saw %s: it is found", async (_, watched, found) => {
    await expect(hear({}, watched)).rejects.toThrow(found);
  });
});
