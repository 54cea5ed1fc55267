import type { SocketSite } from "../../../api/socket-site.ts";

/** What is worth telling of a site that changed: few words, for there are two hundred. */
export function siteSentences(before: SocketSite | undefined, { metadata, status }: SocketSite): string[] {
  const { upgrade, ha } = status ?? {};
  const last = before?.status;
  const name = metadata.name;
  const sentences: string[] = [];
  if (upgrade !== undefined && (upgrade.step !== last?.upgrade?.step || upgrade.reason !== last.upgrade.reason)) {
    const { step, version, reason, message, done = [], order = [] } = upgrade;
    if (step === "Completed") sentences.push(`${name} runs ${version}${order.length > 1 ? `, ${done.join(" before ")}` : ""}`);
    if (step === "Skipped" || step === "Failed")
      sentences.push(`${name} ${step === "Skipped" ? "is skipped" : "failed"} (${reason ?? "no reason is given"}): ${message ?? ""}`);
  }
  if (ha?.story !== undefined && last?.ha?.story === undefined) {
    const { title, lower, higher, steps } = ha.story;
    sentences.push(
      `${name}: ${title}, ${lower.serial} runs ${lower.version} and ${higher.serial} ${higher.version}. ${steps[0] ?? "No remedy is known"}`,
    );
  }
  if (ha?.story === undefined && last?.ha?.story !== undefined) sentences.push(`${name}: ${last.ha.story.title}, resolved`);
  return sentences;
}
