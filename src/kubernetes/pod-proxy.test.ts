import { afterEach, describe, expect, it } from "vitest";
import { FakeApiServer, type Handler, json, reset } from "../../test/kubernetes/fake-api-server.ts";
import { RealClock } from "../control/clock/real-clock.ts";
import { KubernetesCluster } from "./cluster.ts";
import { podProxyPath } from "./pod-proxy.ts";
import { Transport } from "./transport.ts";

const POD = { name: "fra1-abc", namespace: "rollward-data-plane" };
const CALL = { method: "GET", url: "http://10.1.2.3:8080/healthz?deep=1", timeoutMilliseconds: 300 } as const;
const open: { close?: () => Promise<void>; stop?: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await (one.close?.() ?? one.stop?.());
});

async function behind(handler: Handler): Promise<{ cluster: KubernetesCluster; server: FakeApiServer }> {
  const server = await FakeApiServer.start(handler);
  const clock = new RealClock();
  const transport = new Transport({ kubeconfig: server.kubeconfig(), name: "the fake", userAgent: "product/1", clock });
  const cluster = new KubernetesCluster({ transport, clock, log: () => {} });
  open.push(server, cluster);
  return { cluster, server };
}

const status = (code: number, message: string, details?: object) => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  message,
  code,
  ...(details === undefined ? {} : { details }),
});

/** What the real server writes where it finds no way; the words after the colon are those of its network. */
const noWay =
  (words: string): Handler =>
  ({ response }) =>
    json(response, 503, status(503, `error trying to reach service: ${words}`));

describe("[P17] a pod asked through its API server", () => {
  it("is named by scheme, name and port; path and query are the call's own", () => {
    expect(podProxyPath(POD, CALL.url)).toBe("/api/v1/namespaces/rollward-data-plane/pods/http:fra1-abc:8080/proxy/healthz?deep=1");
    expect(podProxyPath(POD, "https://[fd00::1]/x")).toBe("/api/v1/namespaces/rollward-data-plane/pods/https:fra1-abc:443/proxy/x");
  });

  it("answers with its own status and text, cut where it is longer than asked", async () => {
    const { cluster } = await behind(({ response }) => void response.writeHead(500).end("database gone, 1234567890"));
    expect(await cluster.askPod(POD, { ...CALL, maximumBytes: 13 })).toMatchObject({ status: 500, body: "database gone", truncated: true });
  });

  it.each([
    ["dial tcp 10.1.2.3:8080: connect: connection refused", { status: 0, refused: true }],
    ["EOF", { status: 0, refused: true }],
    ["dial tcp 10.1.2.3:8080: i/o timeout", { status: 0 }],
    ["address not allowed", { status: 0, unreadable: true }],
  ])("no way to it (%s) is told apart", async (words, found) => {
    const { cluster } = await behind(noWay(words));
    const answer = await cluster.askPod(POD, CALL);
    expect(answer).toMatchObject(found);
    expect(answer.unreadable).toBe((found as { unreadable?: true }).unreadable);
    expect(answer.body).toContain(words);
  });

  it("[G9] what the server refuses or cannot do says nothing of the pod, and names what to grant", async () => {
    const refused = await behind(({ response }) => json(response, 403, status(403, 'pods "fra1-abc" is forbidden')));
    const forbidden = await refused.cluster.askPod(POD, CALL);
    expect(forbidden).toMatchObject({ status: 0, unreadable: true });
    expect(forbidden.body).toContain("grant get and create of pods/proxy");
    const gone = await behind(({ response }) => json(response, 404, status(404, 'pods "fra1-abc" not found', { kind: "pods" })));
    expect(await gone.cluster.askPod(POD, CALL)).toMatchObject({ status: 0, body: "the pod is not there any more" });
    const broken = await behind(({ response }) => reset(response));
    expect(await broken.cluster.askPod(POD, CALL)).toMatchObject({ status: 0, unreadable: true });
  });

  it("is asked once, and no longer than the call says", async () => {
    let calls = 0;
    const { cluster } = await behind(() => void (calls += 1));
    const begun = performance.now();
    expect(await cluster.askPod(POD, CALL)).toMatchObject({ status: 0, body: "no answer within 300 ms" });
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(calls).toBe(1);
  });

  it("is sent what is posted", async () => {
    const bodies: unknown[] = [];
    const { cluster } = await behind(({ method, response, body }) => {
      bodies.push([method, body]);
      json(response, 200, { sessions: 0 });
    });
    await cluster.askPod(POD, { ...CALL, method: "POST", body: { token: "t" } });
    expect(bodies).toEqual([["POST", JSON.stringify({ token: "t" })]]);
  });
});
