import { readFile } from "node:fs/promises";
import type { ClosableNotices } from "../notices/notices.ts";
import { createNotices } from "../notices/notices.ts";
import { SHORTEST_KEY, writtenSecret } from "../notices/signature.ts";
import type { Clock } from "../runtime/clock.ts";
import type { NoticeSettings } from "../settings.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { UnusableInput } from "./unusable-input.ts";
import { USER_AGENT } from "./version.ts";

interface NoticeParts {
  /** Absent: no host is allowed, so every channel is refused and says so. */
  readonly settings: NoticeSettings | undefined;
  readonly clock: Clock;
  readonly log: (level: "debug" | "info" | "warn" | "error", message: string) => void;
  readonly metrics: Metrics;
}

/** The sender of notices, as the settings have it. Rejects with a sentence when the key cannot be used. */
export async function openNotices({ settings, clock, log, metrics }: NoticeParts): Promise<ClosableNotices> {
  const { hosts = [], privateHosts = [], keyFile } = settings ?? {};
  const key = keyFile === undefined ? undefined : await readKey(keyFile);
  if (settings !== undefined && key === undefined) log("warn", "notices are not signed: --notice-key is not set");
  return createNotices({
    clock,
    log,
    allowed: { hosts, privateHosts },
    userAgent: USER_AGENT,
    onSent: (kind) => metrics.count("notice_sent_total", { kind }),
    ...(key === undefined ? {} : { key }),
  });
}

/** The key that secrets of accounts are made from; line breaks around it do not count. Never shown in a sentence. */
async function readKey(path: string): Promise<string> {
  const key = (await readFile(path, "utf8").catch((error: unknown) => refuse(path, error))).trim();
  if (key.length >= SHORTEST_KEY) return key;
  throw new UnusableInput(
    `--notice-key ${path} holds ${key.length} characters; write at least ${SHORTEST_KEY}, for example of openssl rand -base64 32`,
  );
}

function refuse(path: string, error: unknown): never {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  throw new UnusableInput(`--notice-key ${path} cannot be read (${code}); name a file that the process may read`);
}

/** The secret of an account, for its receiver. Rejects with a sentence when the key cannot be used. */
export const secretOf = async (keyFile: string, account: string): Promise<string> => writtenSecret(await readKey(keyFile), account);
