// A Socket with a real swupdate: a folder for its disk, and a process that is killed and started as a device is rebooted.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Servers } from "../control-plane/servers.ts";
import { librariesOf, type Swupdate } from "./install.ts";

export interface DeviceSettings {
  readonly servers: Servers;
  readonly swupdate: Swupdate;
  /** The file with the certificate by which it checks images. */
  readonly signer: string;
  /** `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly account: string;
  readonly serial: string;
  readonly token: string;
  /** What it runs at first. */
  readonly version: string;
  /** What it says of itself beside its version. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** What a device tells of its last attempt after a restart, in swupdate's words. */
const REPORTS = { nothing: [], success: ["-c", "2"], failure: ["-c", "3"] } as const;

const LOOK_EVERY_MS = 50;

export class SwupdateDevice {
  readonly #settings: DeviceSettings;
  readonly #folder: string;
  #boots = 0;

  constructor(settings: DeviceSettings) {
    this.#settings = settings;
    this.#folder = join(settings.servers.folder, settings.serial);
    mkdirSync(join(this.#folder, "tmp"), { recursive: true });
    writeFileSync(join(this.#folder, "version"), `${settings.version}\n`);
    writeFileSync(join(this.#folder, "ledger"), "");
  }

  /** What it runs. */
  get version(): string {
    return readFileSync(join(this.#folder, "version"), "utf8").trim();
  }

  /** What was done to it, line by line; written by the installations themselves. */
  get ledger(): readonly string[] {
    return readFileSync(join(this.#folder, "ledger"), "utf8").split("\n").filter(Boolean);
  }

  /** What its swupdate wrote since the last boot. */
  get log(): string {
    return this.#boots === 0 ? "" : this.#settings.servers.log(this.#process);
  }

  /** `hold`: installations wait as long as it is set; `broken`: they fail. */
  set(behaviour: "hold" | "broken", on: boolean): void {
    const file = join(this.#folder, behaviour);
    if (on) writeFileSync(file, "");
    else rmSync(file, { force: true });
  }

  async boot(report: keyof typeof REPORTS = "nothing"): Promise<void> {
    const { servers, swupdate, signer } = this.#settings;
    this.#boots += 1;
    rmSync(this.#rebooting, { force: true });
    writeFileSync(this.#power, "");
    writeFileSync(join(this.#folder, "swupdate.cfg"), this.#configuration());
    const environment = Object.entries({
      SOCKET: this.#folder,
      POWER: this.#power,
      TMPDIR: join(this.#folder, "tmp"),
      ...librariesOf(swupdate),
    });
    const variables = environment.map(([name, value]) => `${name}=${value}`);
    const options = ["-v", "-H", "socket:1.0", "-k", signer, "-f", join(this.#folder, "swupdate.cfg")];
    const afterwards = ["-p", `touch ${this.#rebooting}`];
    const suricatta = ["-u", ["-e", ...REPORTS[report]].join(" ")];
    await servers.start(this.#process, "/usr/bin/env", [...variables, swupdate.command, ...options, ...afterwards, ...suricatta]);
  }

  /** As when the power is cut. */
  async cutPower(): Promise<void> {
    rmSync(this.#power, { force: true });
    await this.#settings.servers.end(this.#process, "SIGKILL");
  }

  /** When swupdate has installed and asks for a reboot, it gets one, and tells of its success. */
  async rebootWhenInstalled(): Promise<void> {
    while (!existsSync(this.#rebooting)) await pause(LOOK_EVERY_MS);
    await this.cutPower();
    await this.boot("success");
  }

  get #rebooting(): string {
    return join(this.#folder, "rebooting");
  }

  /** There as long as this boot has power. */
  get #power(): string {
    return join(this.#folder, `power-${this.#boots}`);
  }

  get #process(): string {
    return `${this.#settings.serial}-${this.#boots}`;
  }

  #configuration(): string {
    const { account, serial, url, token, attributes = {} } = this.#settings;
    const identify = Object.entries({ version: this.version, ...attributes }).map(
      ([name, value]) => `{ name = "${name}"; value = "${value}"; }`,
    );
    const suricatta = { tenant: account, id: serial, url, targettoken: token };
    const fields = Object.entries(suricatta).map(([name, value]) => `${name} = "${value}";`);
    return `globals : { loglevel = 5; };\nidentify : ( ${identify.join(", ")} );\nsuricatta : { ${fields.join(" ")} polldelay = 1; retry = 1; retrywait = 1; };\n`;
  }
}
