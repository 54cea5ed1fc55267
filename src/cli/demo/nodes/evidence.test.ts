import { describe, expect, it } from "vitest";
import type { AuditedCall } from "../ports.ts";
import { handsOf, operatorCalls, pulled, runningIn } from "./evidence.ts";

const CLAIM = "/metadata/annotations/rollward.dev~1claim";

const patch = (name: string, value: string, code = 200, path = CLAIM): AuditedCall => ({
  verb: "patch",
  requestURI: `/api/v1/nodes/${name}`,
  userAgent: "rollward/1",
  user: { username: "operator" },
  objectRef: { resource: "nodes", name },
  responseStatus: { code },
  requestObject: [
    { op: "test", path, value: "whatever was there" },
    { op: "add", path, value: path === CLAIM ? value : { "rollward.dev/claim": value } },
  ],
});

describe("what the audit log says of nodes in hand", () => {
  it("one after the other: each was taken once, one at a time, and none is held", () => {
    const calls = [patch("n1", "a", 200, "/metadata/annotations"), patch("n1", "released:a"), patch("n2", "b"), patch("n2", "released:b")];
    const { taken, most, held } = handsOf(calls);
    expect([Object.fromEntries(taken), most, held]).toEqual([{ n1: 1, n2: 1 }, 1, []]);
  });

  it("a second node taken before the first is given back shows as two at once, and what is never given back as held", () => {
    const { most, held } = handsOf([patch("n1", "a"), patch("n2", "b"), patch("n1", "released:a")]);
    expect([most, held]).toEqual([2, ["n2"]]);
  });

  it("a patch that the API server refused took nothing; one of the label alone takes nothing either", () => {
    const label = { ...patch("n3", "c"), requestObject: [{ op: "add", path: "/metadata/labels/x", value: "c" }] };
    const { taken, most } = handsOf([patch("n1", "a", 422), label]);
    expect([taken.size, most]).toEqual([0, 0]);
  });

  it("the same token written twice is one taking; another token on the same node is a second one", () => {
    expect(handsOf([patch("n1", "a"), patch("n1", "a"), patch("n1", "b")]).taken.get("n1")).toBe(2);
  });
});

describe("what the audit log says of the operator", () => {
  const ledger = (username: string, code = 200): AuditedCall => ({
    ...patch("n1", "a", code),
    user: { username },
    objectRef: { resource: "popclusters", subresource: "status", name: "tyo1" },
  });

  it("its user is who writes ledgers, and every call of it that was forbidden is named", () => {
    expect(operatorCalls([ledger("operator"), patch("n1", "a", 403)])).toEqual({
      count: 2,
      users: ["operator"],
      forbidden: ["patch /api/v1/nodes/n1"],
    });
  });

  it("ledgers written by somebody else show", () => {
    expect(operatorCalls([ledger("operator"), ledger("admin")]).users).toEqual(["admin", "operator"]);
  });
});

describe("what containerd and a kubelet say", () => {
  it("images of one repository that containerd was told to pull, each once; of other repositories none", () => {
    const log = [
      String.raw`time="…" level=info msg="PullImage \"registry.example/pause:1\""`,
      String.raw`time="…" level=info msg="PullImage \"registry.example/pop:1.0.0\""`,
      String.raw`time="…" level=info msg="PullImage \"registry.example/pop:1.0.0\" returns image reference \"sha256:1\""`,
      String.raw`time="…" level=error msg="PullImage \"registry.example/pop:9.9.9\" failed" error="not found"`,
    ].join("\n");
    expect(pulled(log, "registry.example/pop")).toEqual(["1.0.0", "9.9.9"]);
    expect(pulled("", "registry.example/pop")).toEqual([]);
  });

  it("containers that run in the namespace, by tag and digest; not those that wait, nor other people's", () => {
    const container = (tag: string, state: object) => ({
      image: `registry.example/pop:${tag}`,
      imageID: `registry.example/pop@sha256:${tag}`,
      state,
    });
    const pods = {
      items: [
        { metadata: { namespace: "data-plane" }, status: { containerStatuses: [container("2.0.0", { running: {} })] } },
        { metadata: { namespace: "data-plane" }, status: { containerStatuses: [container("9.9.9", { waiting: {} })] } },
        { metadata: { namespace: "other" }, status: { containerStatuses: [container("1.0.0", { running: {} })] } },
        { metadata: { namespace: "data-plane" } },
      ],
    };
    expect(runningIn(JSON.stringify(pods), "data-plane")).toEqual([{ tag: "2.0.0", digest: "sha256:2.0.0" }]);
    expect(runningIn("{}", "data-plane")).toEqual([]);
  });
});
