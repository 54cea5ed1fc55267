import { afterEach, describe, expect, test } from "vitest";
import { FakeApiServer, json } from "../../test/kubernetes/fake-api-server.ts";
import { RealClock } from "../control/clock/real-clock.ts";
import type { Cluster } from "../control/ports.ts";
import type { Site } from "../control/sites.ts";
import { KubernetesSites } from "./sites.ts";

const FRA1 = { name: "fra1", namespace: "fleet" };
const BER1 = { name: "ber1", namespace: "fleet" };
const SECRET_SEEN_AFTER_MS = 10_000;

/** Elapsed time goes on when a test says so; calls still have real deadlines. */
class SetClock extends RealClock {
  later = 0;
  override elapsed(): number {
    return super.elapsed() + this.later;
  }
}

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A PoP's cluster that can be reached, and the Secrets of the fleet namespace that lead to it. */
async function world() {
  const server = await FakeApiServer.start(({ response }) =>
    json(response, 200, { metadata: { name: "kube-system", uid: "uid-of-fra1" } }),
  );
  const clock = new SetClock();
  const kubeconfig = (token: string) => Buffer.from(server.kubeconfig(token).exportConfig()).toString("base64");
  const secrets = new Map<string, object>();
  const put = (name: string, version: string, token = "a-token") =>
    secrets.set(name, { metadata: { name, uid: `uid-${name}`, resourceVersion: version }, data: { kubeconfig: kubeconfig(token) } });
  let asked = 0;
  let isAway = false;
  const hub = {
    name: "the hub",
    get: async (_kind: unknown, name: string) => {
      asked += 1;
      if (isAway) throw new Error("no answer");
      return secrets.get(name);
    },
  } as unknown as Cluster;
  const sites = new KubernetesSites({ hub, clock, log: () => undefined, userAgent: "product/1.2.3" });
  open.push(
    () => server.stop(),
    () => sites.close(),
  );
  put("fra1", "1");
  const reach = async (secret = FRA1): Promise<Cluster> => reached(await sites.of(secret));
  return { server, clock, secrets, put, sites, reach, asked: () => asked, away: (is = true) => void (isAway = is) };
}

function reached(site: Site): Cluster {
  if (site.state !== "Reachable") throw new Error(site.message);
  return site.cluster;
}

describe("[P17] the clusters of PoPs", () => {
  test("two PoPs of one Secret that look at once are given one connection, and the Secret is read once", async () => {
    const { reach, asked } = await world();
    const [one, other] = await Promise.all([reach(), reach()]);
    expect(one).toBe(other);
    expect([one.closed.aborted, asked()]).toEqual([false, 1]);
  });

  test("two PoPs of a Secret that was rotated are given one new connection; the one before is closed", async () => {
    const { reach, put, clock } = await world();
    const before = await reach();
    put("fra1", "2", "another-token");
    expect(await reach(), "the Secret is believed for 10 s").toBe(before);
    clock.later += SECRET_SEEN_AFTER_MS;
    const [one, other] = await Promise.all([reach(), reach()]);
    expect(one).toBe(other);
    expect([one === before, before.closed.aborted, one.closed.aborted]).toEqual([false, true, false]);
  });

  test("a Secret of the same name and version that was made anew is another one (G6)", async () => {
    const { reach, secrets, clock } = await world();
    const before = await reach();
    const secret = secrets.get("fra1") as { readonly metadata: object };
    secrets.set("fra1", { ...secret, metadata: { ...secret.metadata, uid: "made anew" } });
    clock.later += SECRET_SEEN_AFTER_MS;
    expect(await reach()).not.toBe(before);
  });

  test("a Secret that is deleted, or that no PoP names any more, is not watched any more", async () => {
    const { reach, put, secrets, sites, clock } = await world();
    put("ber1", "1");
    const [fra1, ber1] = [await reach(FRA1), await reach(BER1)];
    sites.keepOnly([BER1]);
    expect([fra1.closed.aborted, ber1.closed.aborted]).toEqual([true, false]);
    secrets.delete("ber1");
    clock.later += SECRET_SEEN_AFTER_MS;
    expect(await sites.of(BER1)).toMatchObject({ state: "CredentialsInvalid", message: expect.stringContaining("does not exist") });
    expect(ber1.closed.aborted).toBe(true);
  });

  test("a hub that does not answer is asked again at the next look, and nothing is closed meanwhile", async () => {
    const fleet = await world();
    const before = await fleet.reach();
    fleet.clock.later += SECRET_SEEN_AFTER_MS;
    fleet.away();
    await expect(Promise.all([fleet.reach(), fleet.reach()])).rejects.toThrow("no answer");
    expect(before.closed.aborted).toBe(false);
    fleet.away(false);
    expect(await fleet.reach()).toBe(before);
  });
});
