import { commandRow } from "../../../src/core/socket/command.examples.ts";
import type { CommandRow } from "../../../src/core/socket/command.ts";
import { END, GatewayWorld, START } from "../../../src/gateway/gateway.examples.ts";
import { Servers } from "../../../tools/control-plane/servers.ts";
import { SwupdateDevice } from "../../../tools/swupdate/device.ts";
import type { Swupdate } from "../../../tools/swupdate/install.ts";

export const IMAGE = "socket-18.3.3.swu";

/** What all tests share: the program, and the folder with the image and the certificate of its signer. */
export interface Software {
  readonly swupdate: Swupdate;
  readonly folder: string;
  readonly signer: string;
  readonly image: Buffer;
}

/** A gateway whose devices poll every second, real swupdates before it, and the test in the place of the operator. */
export class SwupdateWorld {
  readonly gateway: GatewayWorld;
  readonly #servers: Servers;
  readonly #software: Software;

  private constructor(gateway: GatewayWorld, servers: Servers, software: Software) {
    this.gateway = gateway;
    this.#servers = servers;
    this.#software = software;
  }

  static async open(software: Software): Promise<SwupdateWorld> {
    const gateway = new GatewayWorld({ url: IMAGE, content: software.image }, () => performance.now());
    await gateway.start({ artifacts: software.folder, hints: { ordinary: 1_000, near: 1_000 } });
    return new SwupdateWorld(gateway, await Servers.open(), software);
  }

  async stop(): Promise<void> {
    await this.#servers.stop();
    await this.gateway.stop();
  }

  /** Enrolled, on 17.2, and not yet booted. */
  async device(
    serial: string,
    more: { readonly port?: number; readonly attributes?: Record<string, string> } = {},
  ): Promise<SwupdateDevice> {
    const { swupdate, signer } = this.#software;
    const { port = this.gateway.port, attributes = {} } = more;
    const token = await this.gateway.enroll(serial, "acme");
    const url = `http://127.0.0.1:${port}`;
    return new SwupdateDevice({
      servers: this.#servers,
      swupdate,
      signer,
      url,
      account: "acme",
      serial,
      token,
      version: "17.2",
      attributes,
    });
  }

  /** The operator's part: the claim in status, then the row. */
  async command(serial: string, attempt: number): Promise<CommandRow> {
    const id = `site-berlin.1.${serial}.${attempt}`;
    const row = commandRow({ id, action: 1_000 + attempt, serial, notBefore: START, notAfter: END });
    this.gateway.views.view = this.gateway.viewNaming(id);
    if (!(await this.gateway.inventory.insertCommand(row))) throw new Error(`${id} was not inserted`);
    return row;
  }

  /** The row as the inventory has it. */
  async known({ id, serial, site }: CommandRow): Promise<CommandRow | undefined> {
    const of = { uid: site.uid, account: "acme", serials: [serial], named: id };
    return (await this.gateway.inventory.site(of)).commands.get(id);
  }

  /** What a Socket says it runs. */
  async reports(serial: string): Promise<string | undefined> {
    return (await this.gateway.inventory.site({ uid: "site-berlin", account: "acme", serials: [serial] })).devices.get(serial)?.version;
  }
}
