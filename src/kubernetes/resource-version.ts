const DECIMAL = /^[1-9][0-9]*$/;

/**
 * Which of two resource versions of one resource is newer: negative, 0 or positive like a sort function. Kubernetes promises an
 * order since 1.35, and only for decimal versions; of others only equality is known, and the answer is undefined.
 */
export function compareResourceVersions(one: string | undefined, other: string | undefined): number | undefined {
  if (one === undefined || other === undefined) return undefined;
  if (one === other) return 0;
  if (!DECIMAL.test(one) || !DECIMAL.test(other)) return undefined;
  if (one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : 1;
}

/** True only when `one` is known to be newer than `other`. */
export const isNewer = (one: string | undefined, other: string | undefined): boolean => (compareResourceVersions(one, other) ?? 0) > 0;
