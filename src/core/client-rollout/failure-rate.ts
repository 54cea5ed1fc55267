/**
 * When failures pause a rollout by themselves (rule C5), and why it may be asked at every look.
 *
 * Say p0 is the share that may fail. Each device that attempted multiplies the evidence that the true share p is larger: by p / p0 when it
 * failed, by (1 − p) / (1 − p0) when it did not. Over all p > p0 alike, this is a game that nobody wins in the long run while the true
 * share is p0 or less: the probability that the evidence **ever** reaches 1 / α is at most α (Ville's inequality). So a look each minute,
 * with three devices or three million, costs no more false alarms than one look: at most 1 % of the good versions are ever paused wrongly.
 * It supposes that devices fail independently; a fault of one account alone is the account's pilot's to find (rule C2).
 */
const FALSE_ALARMS = 0.01;

export interface Counted {
  readonly attempted: number;
  readonly failed: number;
}

/**
 * The evidence that more than `percent` of the devices fail: so many to one. A lower bound of the exact figure, which is
 * P(Bin(n + 1, p0) ≤ k) / ((1 − p0) (n + 1) P(Bin(n, p0) = k)): where k ≥ (n + 1) p0 the probability above is at least one half.
 * Fewer failures than expected are no evidence.
 */
export function evidenceAgainst({ attempted, failed }: Counted, percent: number): number {
  const share = percent / 100;
  if (failed * 100 < (attempted + 1) * percent || failed > attempted || attempted <= 0) return 0;
  return Math.exp(-Math.log(2 * (1 - share) * (attempted + 1)) - logBinomial(attempted, failed, share));
}

/** More devices fail than may, beyond what chance explains. */
export const failsTooOften = (counted: Counted, percent: number): boolean => evidenceAgainst(counted, percent) >= 1 / FALSE_ALARMS;

/** The sentence that explains it. */
export function failureSentence({ attempted, failed }: Counted, percent: number): string {
  const share = Math.round((failed * 1_000) / attempted) / 10;
  return (
    `${failed} of ${attempted} devices that attempted it failed (${share} %); a version of which ${percent} % fail shows as much in fewer ` +
    `than 1 of ${Math.round(1 / FALSE_ALARMS)} rollouts, at whatever moment one looks`
  );
}

/** ln P(Bin(n, p) = k). */
const logBinomial = (n: number, k: number, p: number): number =>
  logFactorial(n) - logFactorial(k) - logFactorial(n - k) + k * Math.log(p) + (n - k) * Math.log1p(-p);

/** ln n!, by Stirling's series beyond a sum; to about ten digits. */
function logFactorial(n: number): number {
  if (n < 32) {
    let sum = 0;
    for (let factor = 2; factor <= n; factor += 1) sum += Math.log(factor);
    return sum;
  }
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3);
}
