import type { ClientRollout } from "../../../api/client-rollout.ts";

/** What is worth telling of a rollout that changed. */
export function rolloutSentences(before: ClientRollout | undefined, { metadata, spec, status }: ClientRollout): string[] {
  const { name } = metadata;
  const sentences: string[] = [];
  const last = before?.status;
  for (const { name: stage, openedAt } of status?.stages ?? []) {
    if (last?.stages?.some((known) => known.name === stage)) continue;
    const { reached } = status!;
    const share = stage.startsWith("phase")
      ? `: ${reached?.usersPercent ?? 0} % of the users of ${reached?.accountsPercent ?? 0} % of the accounts`
      : "";
    sentences.push(`${name}: stage ${stage} is open since ${openedAt}${share}`);
  }
  const paused = status?.monitoring?.paused;
  if (paused !== undefined && last?.monitoring?.paused === undefined) sentences.push(`${name} pauses itself: ${paused.message}`);
  if (status?.effective !== undefined && status.effective !== (last?.effective ?? "Run"))
    sentences.push(
      `${name}: every gateway has confirmed it; ${spec.version} is ${status.effective === "Run" ? "offered again" : "offered to nobody"}`,
    );
  if (status?.standingSince !== undefined && last?.standingSince === undefined)
    sentences.push(`${name} stands: everybody goes to ${spec.version}`);
  return sentences;
}
