/** Until a Client checks in again: the share of them that did within so many milliseconds. */
export class Waits {
  readonly #ages: readonly number[];

  /**
   * `ages`: how long ago each one's last check-in was, at one moment. At a moment that has nothing to do with when they come, the way back
   * to the last check-in and the way on to the next one are alike; so computers in a bag are in it as they are.
   */
  constructor(ages: readonly number[]) {
    this.#ages = ages.toSorted((one, other) => one - other);
  }

  get count(): number {
    return this.#ages.length;
  }

  within(milliseconds: number): number {
    if (milliseconds < 0 || this.#ages.length === 0) return 0;
    let [low, high] = [0, this.#ages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ages[middle]! <= milliseconds) low = middle + 1;
      else high = middle;
    }
    return low / this.#ages.length;
  }
}

/** How often a whole curve may leave its band: in 5 of 100 worlds. */
const LEAVES = 0.05;

/**
 * How far a sum of independent yes and no of that variance strays from what is expected, at `points` points alike, in fewer than 5 of 100
 * worlds (Bernstein's inequality, and the union over the points): no large numbers are supposed, three users are as well as three million.
 */
export function strayOf(variance: number, points: number): number {
  const log = Math.log((2 * points) / LEAVES);
  return log / 3 + Math.sqrt((log / 3) ** 2 + 2 * variance * log);
}
