import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { ACCOUNT_POLICY, type AccountPolicy, accountPolicySpec } from "../../../src/api/account-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout, clientRolloutSpec, type ClientRolloutSpec } from "../../../src/api/client-rollout.ts";
import { API_VERSION } from "../../../src/api/common.ts";
import type { Fleet } from "../../../src/api/fleet.ts";
import { ACCOUNT_LABEL } from "../../../src/api/names.ts";
import { FLEET } from "../../../src/api/resources.ts";
import type { GatewayReplica } from "../../../src/control/client-inventory.ts";
import { clientsOf, hashOf, newToken } from "../../../src/control/device-credentials.ts";
import { NAMESPACE } from "../../../src/control/kinds.ts";
import { openInventory } from "../../../src/inventory/open.ts";
import { fleetDraft, FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { callApi } from "../../../tools/control-plane/api-request.ts";
import { freePorts } from "../../../tools/control-plane/ports.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import type { OperatorProcess } from "../rolls/cluster-world.ts";
import { RealWorld } from "../rolls/real-world.ts";

const START = "2026-11-02T10:00:00Z";
const NAME = "windows-5-12-3";
const PATIENCE = { timeout: 40_000, interval: 100 };
const AUTOMATIC = { windows: { upgrade: "Automatic", pilotGroup: { users: ["anna@acme.example"] } } };

interface Gateway {
  readonly name: string;
  readonly port: number;
  readonly process: OperatorProcess;
}

/** What was seen of a pause, each time somebody looked. */
interface Look {
  readonly effective: string | undefined;
  readonly replicas: readonly GatewayReplica[];
}

describeWithControlPlane("[C5] [G15] a pause, and two gateways of which one is stopped", () => {
  let world: RealWorld;
  let inventory: Awaited<ReturnType<typeof openInventory>>;
  let url = "";
  let [one, two]: (Gateway | undefined)[] = [];
  const tokens = { acme: newToken(), globex: newToken() };

  beforeAll(async () => {
    world = await RealWorld.start({ start: START, pops: { fra1: 1 } });
    await world.apply<Fleet>(FLEET, fleetDraft());
    url = `sqlite:${join(world.folder, "inventory.db")}`;
    inventory = await openInventory(url);
    for (const account of ["acme", "globex"] as const) {
      await world.cluster.create(NAMESPACE, { metadata: { name: account, labels: { [ACCOUNT_LABEL]: account } } });
      const spec = accountPolicySpec.parse({ clients: AUTOMATIC });
      await world.apply<AccountPolicy>(ACCOUNT_POLICY, { metadata: { name: "account", namespace: account }, spec } as never);
      const now = world.calendar.now();
      await inventory.enroll({ account: clientsOf(account), tokenHash: hashOf(tokens[account]), at: now, oldTokensUntil: now });
    }
    const artifact = { url: "https://artifacts.example.com/client-5.12.3.msi", sha256: "9f86d081".repeat(8), size: 48_000_000 };
    const rollout = { os: "Windows", version: "5.12.3", announcedAt: "2026-11-02T09:00:00Z", generalAfter: "504h", artifact };
    await world.apply<ClientRollout>(CLIENT_ROLLOUT, {
      metadata: { name: NAME, namespace: FLEET_NAMESPACE },
      spec: clientRolloutSpec.parse(rollout),
    } as never);
    await world.startOperator(["--inventory", url]);
    [one, two] = await Promise.all([gateway("one"), gateway("two")]);
    await vi.waitFor(async () => {
      for (const each of [one, two]) expect(await offered(each!)).toBe(true);
    }, PATIENCE);
  }, 180_000);
  afterAll(async () => {
    for (const each of [one, two]) each?.process.kill("SIGCONT");
    await inventory?.close();
    await world?.stop();
  });

  const gateway = async (name: string): Promise<Gateway> => {
    const [port = 0] = await freePorts(1);
    const flags = ["--gateway-only", "true", "--inventory", url, "--gateway-address", `127.0.0.1:${port}`, "--identity", name];
    return { name, port, process: await world.startOperator(flags) };
  };
  /** A check-in of a pilot's computer, another one each time: what it was offered. */
  const checkIn = async ({ port }: Gateway): Promise<"Offer" | "Nothing" | number> => {
    const app = { appid: "rollward.client.windows", version: "5.11.0", user: "anna@acme.example", updatecheck: {} };
    const sent = { protocol: "3.1", requestid: randomUUID(), app: [{ ...app, machineid: randomUUID() }] };
    const headers = { authorization: `ClientToken ${tokens.acme}`, "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ request: sent }) };
    const response = await fetch(`http://127.0.0.1:${port}/omaha/v1/acme`, init);
    const text = await response.text();
    if (response.status !== 200) return response.status;
    const { response: said } = JSON.parse(text.slice(text.indexOf("{"))) as { response: { app: { updatecheck?: { status: string } }[] } };
    return said.app[0]?.updatecheck?.status === "ok" ? "Offer" : "Nothing";
  };
  const offered = async (each: Gateway): Promise<boolean> => (await checkIn(each).catch(() => 0)) === "Offer";

  const rollout = async (): Promise<ClientRollout> => (await world.cluster.get<ClientRollout>(CLIENT_ROLLOUT, NAME, FLEET_NAMESPACE))!;
  const policy = async (): Promise<AccountPolicy> => (await world.cluster.get<AccountPolicy>(ACCOUNT_POLICY, "account", "acme"))!;
  const viewOf = async () => (await policy()).status?.clients?.find(({ uid }) => uid !== undefined);
  const edit = (spec: Partial<ClientRolloutSpec>) =>
    vi.waitFor(async () => {
      const found = await rollout();
      return world.cluster.update<ClientRollout>(CLIENT_ROLLOUT, { ...found, spec: { ...found.spec, ...spec } });
    }, PATIENCE);
  const editPolicy = (clients: object) =>
    vi.waitFor(async () => {
      const found = await policy();
      return world.cluster.update<AccountPolicy>(ACCOUNT_POLICY, { ...found, spec: accountPolicySpec.parse({ clients }) });
    }, PATIENCE);

  /** Looks until it says Paused. What is known of replicas is read after the word, so it is at least as new. */
  const untilPaused = async (effective: () => Promise<string | undefined>): Promise<readonly Look[]> => {
    const looks: Look[] = [];
    await vi.waitFor(async () => {
      const said = await effective();
      looks.push({ effective: said, replicas: await inventory.clients.replicas() });
      expect(said).toBe("Paused");
    }, PATIENCE);
    return looks;
  };
  const replica = ({ replicas }: Look, { name }: Gateway): GatewayReplica | undefined => replicas.find((each) => each.name === name);

  it("the provider's: Paused shows only when the live one has confirmed and the stopped one is fenced; nobody is offered it afterwards", async () => {
    const [live, stopped] = [one!, two!];
    stopped.process.kill("SIGSTOP");
    // Asked while it sleeps: the answers are written when it wakes, long after Paused shows.
    const asleep = Array.from({ length: 4 }, () => checkIn(stopped).catch(() => 0));
    await edit({ requested: "Paused", reason: "printers stop" });
    const looks = await untilPaused(async () => (await rollout()).status?.effective);
    const last = looks.at(-1)!;
    const { uid } = (await rollout()).metadata;
    const { pause } = (await rollout()).status!;
    expect(replica(last, live)!.pauses.get(uid)).toBe(pause!.id);
    expect(replica(last, stopped)).toMatchObject({ silentMilliseconds: expect.any(Number) });
    expect(replica(last, stopped)!.silentMilliseconds).toBeGreaterThan(10_000);
    expect(replica(last, stopped)!.pauses.get(uid)).not.toBe(pause!.id);
    // While the stopped one was not fenced yet, it did not say Paused: there was such a time.
    expect(looks.some((look) => look.effective === "Run" && replica(look, stopped)!.silentMilliseconds <= 10_000)).toBe(true);
    expect(await checkIn(live)).toBe("Nothing");
    stopped.process.kill("SIGCONT");
    expect(await Promise.all(asleep)).not.toContain("Offer");
    for (let nth = 0; nth < 8; nth += 1) expect([await checkIn(live), await checkIn(stopped)]).not.toContain("Offer");
  });

  it("the account's own: as the provider's, and other accounts go on", async () => {
    await edit({ requested: "Run" });
    for (const each of [one, two]) await expect.poll(() => offered(each!), PATIENCE).toBe(true);
    await expect.poll(async () => (await viewOf())?.effective, PATIENCE).toBe("Run");
    const [live, stopped] = [two!, one!];
    stopped.process.kill("SIGSTOP");
    const asleep = Array.from({ length: 4 }, () => checkIn(stopped).catch(() => 0));
    const pause = { version: "5.12.3", reason: "audit week" };
    const { metadata } = await editPolicy({ windows: { ...AUTOMATIC.windows, pause } });
    const looks = await untilPaused(async () => (await viewOf())?.effective);
    const last = looks.at(-1)!;
    expect(replica(last, live)!.policies.get(metadata.uid)).toBe(metadata.generation);
    expect(replica(last, stopped)!.silentMilliseconds).toBeGreaterThan(10_000);
    expect(looks.some((look) => look.effective === "Run" && replica(look, stopped)!.silentMilliseconds <= 10_000)).toBe(true);
    expect((await viewOf())!.reasons).toEqual(["the account paused 5.12.3: audit week"]);
    stopped.process.kill("SIGCONT");
    expect(await Promise.all([...asleep, checkIn(live), checkIn(stopped)])).not.toContain("Offer");
    const other = await world.cluster.get<AccountPolicy>(ACCOUNT_POLICY, "account", "globex");
    expect(other!.status!.clients).toMatchObject([{ rollout: NAME, effective: "Run" }]);
  });

  it("[I15] the account's whole view is read by an identity that may read its own namespace alone", async () => {
    const { controlPlane } = world;
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/acme";
    const admin = async (path: string, body: object): Promise<string> => {
      const answer = await controlPlane.call("admin", "POST", path, body);
      expect(answer.status).toBeLessThan(300);
      return answer.body;
    };
    await admin("/api/v1/namespaces/acme/serviceaccounts", { metadata: { name: "reader" } });
    await admin(`${rbac}/roles`, {
      metadata: { name: "reader" },
      rules: [{ apiGroups: ["rollward.dev"], resources: ["*"], verbs: ["get", "list", "watch"] }],
    });
    await admin(`${rbac}/rolebindings`, {
      metadata: { name: "reader" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
      subjects: [{ kind: "ServiceAccount", name: "reader", namespace: "acme" }],
    });
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } };
    const issued = JSON.parse(await admin("/api/v1/namespaces/acme/serviceaccounts/reader/token", request)) as {
      status: { token: string };
    };
    const caller = { url: controlPlane.url, ca: readFileSync(controlPlane.caFile, "utf8"), token: issued.status.token };
    const read = (path: string) => callApi(caller, "GET", `/apis/${API_VERSION}/${path}`);
    await vi.waitFor(async () => expect((await read("namespaces/acme/accountpolicies/account")).status).toBe(200), PATIENCE);
    // Its pilots were offered and are counted; that globex has none of it is no part of its view.
    await expect.poll(async () => (await viewOf())?.pilot?.offered ?? 0, { ...PATIENCE, timeout: 90_000 }).toBeGreaterThan(0);
    const own = JSON.parse((await read("namespaces/acme/accountpolicies/account")).body) as AccountPolicy;
    expect(own.status!.clients).toMatchObject([
      { rollout: NAME, os: "Windows", version: "5.12.3", stage: "pilot", inPhase: false, effective: "Paused", pilot: expect.any(Object) },
    ]);
    const others = [
      `namespaces/globex/accountpolicies/account`,
      `namespaces/${FLEET_NAMESPACE}/clientrollouts/${NAME}`,
      `namespaces/${FLEET_NAMESPACE}/clientrollouts`,
      "accountpolicies",
      "clientrollouts",
    ];
    expect(await Promise.all(others.map(async (path) => (await read(path)).status))).toEqual(others.map(() => 403));
  });
});
