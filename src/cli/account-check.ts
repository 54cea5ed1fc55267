import { ACCOUNT_LABEL } from "../api/names.ts";
import { closest } from "../core/closest.ts";
import { allowed, NAMESPACE } from "./accounts.ts";
import type { CliIo } from "./io.ts";

/** What is to be said of an account that no namespace is labelled with. */
export interface UnknownAccount {
  /** The account that was meant as a rule: one that there is, and that is spelt nearly so. */
  readonly meant?: string;
  /** What to do instead. */
  readonly instead: string;
}

/**
 * An account that no namespace is labelled with is as a rule a slip of the pen. Undefined: there is one, or nobody can say, for whoever works
 * on an inventory needs no cluster, and may have no right to look.
 */
export async function unknownAccount(io: CliIo, account: string): Promise<UnknownAccount | undefined> {
  try {
    const cluster = await io.connect({});
    try {
      const labelled = await allowed(() => cluster.list(NAMESPACE, { labelSelector: ACCOUNT_LABEL }));
      const accounts = [...new Set((labelled ?? []).flatMap(({ metadata }) => metadata.labels?.[ACCOUNT_LABEL] ?? []))];
      if (labelled === undefined || accounts.includes(account)) return undefined;
      const meant = closest(account, accounts);
      const label = `label its namespace ${ACCOUNT_LABEL}=${account}`;
      return meant === undefined ? { instead: label } : { meant, instead: `did you mean ${meant}?` };
    } finally {
      await cluster.close();
    }
  } catch {
    return undefined;
  }
}
