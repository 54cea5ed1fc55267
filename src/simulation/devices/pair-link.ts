/**
 * What the two Sockets of a site know of each other: who carries the traffic, and whether the other one answers. One that goes away hands
 * over to the one that is there; one that comes back is the standby. A Socket without a partner is active whenever it is up.
 */
export class PairLink {
  readonly #up: Map<string, boolean>;
  #active: string | undefined;

  constructor(serials: readonly string[], active = serials[0]) {
    this.#up = new Map(serials.map((serial) => [serial, true]));
    this.#active = active;
  }

  get isPair(): boolean {
    return this.#up.size > 1;
  }

  get active(): string | undefined {
    return this.#active;
  }

  isActive(serial: string): boolean {
    return this.#active === serial;
  }

  /** The partner answers. */
  keepalive(serial: string): boolean {
    return [...this.#up].some(([other, up]) => other !== serial && up);
  }

  down(serial: string): void {
    this.#up.set(serial, false);
    if (this.#active === serial) this.#active = [...this.#up].find(([, up]) => up)?.[0];
  }

  up(serial: string): void {
    this.#up.set(serial, true);
    this.#active ??= serial;
  }
}
