/** The oldest view of each kind: with several PoP clusters the silent one must show. */
export function oldest(ages: readonly (readonly [string, number])[]): Record<string, number> {
  const worst: Record<string, number> = {};
  for (const [kind, age] of ages) worst[kind] = Math.max(worst[kind] ?? 0, age);
  return worst;
}
