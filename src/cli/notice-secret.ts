import type { Command } from "commander";
import { EXIT } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { reporting } from "./with-cluster.ts";

interface SecretOptions {
  readonly account: string;
  readonly noticeKey: string;
}

/**
 * `rollward notice-secret`: what an account's receiver checks signatures by. `secretOf` reads the provider's key and makes the account's
 * secret of it; it rejects with a sentence.
 */
export function registerNoticeSecret(program: Command, io: CliIo, secretOf: (keyPath: string, account: string) => Promise<string>): void {
  program
    .command("notice-secret")
    .description("prints the secret by which an account's receiver checks that a notice is the provider's")
    .requiredOption("--account <account>", "the account, as its namespace is labelled")
    .requiredOption("--notice-key <path>", "the provider's key, the file that the operator is given by --notice-key")
    .action(({ account, noticeKey }: SecretOptions) =>
      reporting(io, async () => {
        const secret = await secretOf(noticeKey, account).catch((error: unknown) => {
          throw new Refusal(EXIT.badInput, error instanceof Error ? error.message : String(error));
        });
        io.out(`${secret}\n`);
        return EXIT.ok;
      }),
    );
}
