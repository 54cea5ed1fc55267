import { type CommandRow, isOver } from "../../core/socket/command.ts";

const numberOf = (serial: string, action: number): string => `${action} ${serial}`;

/** Command rows, found as the SQL stores find them: by id, by a device's number, and the one of a site or a device that is not over. */
export class CommandRows {
  readonly #byId = new Map<string, CommandRow>();
  readonly #byNumber = new Map<string, string>();
  readonly #liveBySite = new Map<string, string>();
  readonly #liveBySerial = new Map<string, string>();

  get(id: string): CommandRow | undefined {
    return this.#byId.get(id);
  }

  numbered(serial: string, action: number): CommandRow | undefined {
    return this.#at(this.#byNumber, numberOf(serial, action));
  }

  liveOf(siteUid: string): CommandRow | undefined {
    return this.#at(this.#liveBySite, siteUid);
  }

  liveFor(serial: string): CommandRow | undefined {
    return this.#at(this.#liveBySerial, serial);
  }

  /** What the unique indexes of the stores say: its id, its number, its site and its Socket are free (rules S2, I4). */
  isFree({ id, serial, action, site }: CommandRow): boolean {
    const others = [this.get(id), this.numbered(serial, action), this.liveOf(site.uid), this.liveFor(serial)];
    return others.every((row) => row === undefined);
  }

  put(row: CommandRow): void {
    this.#byId.set(row.id, row);
    this.#byNumber.set(numberOf(row.serial, row.action), row.id);
    if (isOver(row.state)) {
      if (this.#liveBySite.get(row.site.uid) === row.id) this.#liveBySite.delete(row.site.uid);
      if (this.#liveBySerial.get(row.serial) === row.id) this.#liveBySerial.delete(row.serial);
    } else {
      this.#liveBySite.set(row.site.uid, row.id);
      this.#liveBySerial.set(row.serial, row.id);
    }
  }

  /** The same rows in an index of their own. */
  copy(): CommandRows {
    const copy = new CommandRows();
    for (const row of this.#byId.values()) copy.put(row);
    return copy;
  }

  #at(index: ReadonlyMap<string, string>, key: string): CommandRow | undefined {
    const id = index.get(key);
    return id === undefined ? undefined : this.#byId.get(id);
  }
}
