import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { vi } from "vitest";
import { ACCOUNT_POLICY, type AccountPolicy, accountPolicySpec } from "../../../src/api/account-policy.ts";
import type { Fleet } from "../../../src/api/fleet.ts";
import { ACCOUNT_LABEL } from "../../../src/api/names.ts";
import { FLEET, MAINTENANCE_WINDOW } from "../../../src/api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout, socketRolloutSpec } from "../../../src/api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite, socketSiteSpec } from "../../../src/api/socket-site.ts";
import { hashOf, newToken } from "../../../src/control/device-credentials.ts";
import type { DeviceInventory, Inventory } from "../../../src/control/inventory.ts";
import { NAMESPACE } from "../../../src/control/kinds.ts";
import { openInventory } from "../../../src/inventory/open.ts";
import { fleetDraft, FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { freePorts } from "../../../tools/control-plane/ports.ts";
import { Servers } from "../../../tools/control-plane/servers.ts";
import { startPostgres } from "../../../tools/postgres/run.ts";
import { SwupdateDevice } from "../../../tools/swupdate/device.ts";
import { buildImage, signerIn } from "../../../tools/swupdate/image.ts";
import type { Swupdate } from "../../../tools/swupdate/install.ts";
import { RealWorld } from "../rolls/real-world.ts";

const ACCOUNT = "acme";
const SITE = "berlin";
const VERSION = "18.0.1";

/** However busy the machine is: a limit on the test, not a claim. */
const PATIENCE = { timeout: 60_000, interval: 50 };

interface Ground {
  readonly real: RealWorld;
  readonly inventory: Inventory & DeviceInventory;
  readonly servers: Servers;
  readonly swupdate: Swupdate;
  readonly port: number;
  /** In their order. */
  readonly ends: readonly (() => Promise<unknown>)[];
}

/** `Embedded`: SQLite, and one process has the operator and the gateway. `Apart`: each has its own, and PostgreSQL is between them. */
export type Layout = "Embedded" | "Apart";

/**
 * A site in Berlin with a pair of real swupdates, and an operator with its inventory and gateway: who may install what, and when, nobody
 * but they decide. The calendar is the test's.
 */
export class PairWorld {
  readonly real: RealWorld;
  readonly #inventory: Inventory & DeviceInventory;
  readonly #servers: Servers;
  readonly #swupdate: Swupdate;
  readonly #ends: readonly (() => Promise<unknown>)[];
  /** Where devices are answered. */
  readonly port: number;
  /** The metrics of the process that answers them. */
  #gatewayMetrics = 0;

  private constructor(ground: Ground) {
    this.real = ground.real;
    this.#inventory = ground.inventory;
    this.#servers = ground.servers;
    this.#swupdate = ground.swupdate;
    this.#ends = ground.ends;
    this.port = ground.port;
  }

  static async open(swupdate: Swupdate, layout: Layout, start: string): Promise<PairWorld> {
    const postgres = layout === "Apart" ? await startPostgres() : undefined;
    const real = await RealWorld.start({ start, pops: { fra1: 1 } });
    const url = postgres?.url ?? `sqlite:${join(real.folder, "inventory.db")}`;
    const image = await buildImage(real.folder, VERSION);
    writeFileSync(join(real.folder, `socket-${VERSION}.swu`), image);
    const inventory = await openInventory(url);
    const [port = 0] = await freePorts(1);
    const servers = await Servers.open();
    const ends = [() => servers.stop(), () => inventory.close(), () => real.stop(), async () => postgres?.stop()];
    const world = new PairWorld({ real, inventory, servers, swupdate, port, ends });
    await world.#writeObjects();
    await world.#startProcesses(layout, url);
    return world;
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) await end();
  }

  async #startProcesses(layout: Layout, url: string): Promise<void> {
    const { real, port } = this;
    const gateway = ["--gateway-address", `127.0.0.1:${port}`, "--artifacts", real.folder];
    const polls = ["--poll-interval", "3s", "--poll-interval-near", "3s"];
    const embedded = layout === "Embedded";
    const operator = await real.startOperator(["--inventory", url, ...(embedded ? [...gateway, ...polls] : [])]);
    const answers = embedded ? operator : await real.startOperator(["--gateway-only", "true", "--inventory", url, ...gateway, ...polls]);
    this.#gatewayMetrics = answers.metricsPort;
  }

  /** Enrolled, on 17.2, and not yet booted. */
  async device(serial: string, state: "active" | "standby", port = this.port): Promise<SwupdateDevice> {
    const token = newToken();
    const now = this.real.calendar.now();
    await this.#inventory.enroll({ account: ACCOUNT, serial, tokenHash: hashOf(token), at: now, oldTokensUntil: now });
    return new SwupdateDevice({
      servers: this.#servers,
      swupdate: this.#swupdate,
      signer: signerIn(this.real.folder),
      url: `http://127.0.0.1:${port}`,
      account: ACCOUNT,
      serial,
      token,
      version: "17.2",
      attributes: { model: "X1600", "ha.state": state, "ha.keepalive": "true" },
    });
  }

  async announce(): Promise<void> {
    const image = readFileSync(join(this.real.folder, `socket-${VERSION}.swu`));
    const spec = socketRolloutSpec.parse({
      version: VERSION,
      announcedAt: new Date(this.real.calendar.now()).toISOString(),
      expected: { download: "0s", install: "1m", failover: "1m", verify: "1m" },
      ramp: [{ percent: 100 }],
      artifact: {
        url: `socket-${VERSION}.swu`,
        sha256: createHash("sha256").update(image).digest("hex"),
        sha1: createHash("sha1").update(image).digest("hex"),
        size: image.length,
      },
    });
    await this.real.apply<SocketRollout>(SOCKET_ROLLOUT, {
      metadata: { name: "socket-18-0-1", namespace: FLEET_NAMESPACE },
      spec,
    } as never);
  }

  async site(): Promise<SocketSite> {
    const site = await this.real.cluster.get<SocketSite>(SOCKET_SITE, SITE, ACCOUNT);
    if (!site) throw new Error(`there is no SocketSite ${SITE}`);
    return site;
  }

  /** Waits, in real time, until the site's status satisfies the predicate. */
  until(waitingFor: string, predicate: (status: NonNullable<SocketSite["status"]>) => boolean): Promise<SocketSite> {
    return vi.waitFor(async () => {
      const site = await this.site();
      if (site.status && predicate(site.status)) return site;
      const log = this.real.operators.map((process) => process.log().slice(-600)).join("; ");
      throw new Error(`${SITE} is not there yet (${waitingFor}): ${JSON.stringify(site.status)}; ${log}`);
    }, PATIENCE);
  }

  /** How often the gateway has answered so. */
  async checkins(answer: string): Promise<number> {
    const metrics = await (await fetch(`http://127.0.0.1:${this.#gatewayMetrics}/metrics`)).text();
    const line = metrics.split("\n").find((text) => text.startsWith("rollward_device_checkins_total") && text.includes(`"${answer}"`));
    return Number(line?.split(" ").at(-1) ?? 0);
  }

  async #writeObjects(): Promise<void> {
    const { real } = this;
    await real.cluster.create(NAMESPACE, { metadata: { name: ACCOUNT, labels: { [ACCOUNT_LABEL]: ACCOUNT } } });
    await real.apply<Fleet>(FLEET, fleetDraft());
    const sundays = { schedule: { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] }, timeZone: "Local", notice: "48h" };
    await real.apply(MAINTENANCE_WINDOW, { metadata: { name: "sockets", namespace: ACCOUNT }, spec: sundays } as never);
    const policy = accountPolicySpec.parse({ sockets: { windowRef: { name: "sockets" } } });
    await real.apply<AccountPolicy>(ACCOUNT_POLICY, { metadata: { name: "account", namespace: ACCOUNT }, spec: policy } as never);
    const spec = socketSiteSpec.parse({
      timeZone: "Europe/Berlin",
      sockets: [
        { serial: "S-2001", role: "Primary" },
        { serial: "S-2002", role: "Secondary" },
      ],
    });
    await real.apply<SocketSite>(SOCKET_SITE, { metadata: { name: SITE, namespace: ACCOUNT }, spec } as never);
  }
}
