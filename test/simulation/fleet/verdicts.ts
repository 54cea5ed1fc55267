import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import type { Findings } from "../findings.ts";

/**
 * What has failed where, remembered from the first time that it stood in a PoP's ledger: a ledger that forgets it has lost it (I5). Only a
 * person's retry takes it away, and each retry lets it fail once more (I6).
 */
export class Verdicts {
  readonly #findings: Findings;
  /** PoP UID → revision → version. */
  readonly #failed = new Map<string, Map<string, string>>();
  /** PoP UID and version → rollbacks begun. */
  readonly #rollbacks = new Map<string, number>();
  readonly #retries = new Map<string, number>();
  readonly #ever = new Set<string>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  of(uid: string, revision: string): string | undefined {
    return this.#failed.get(uid)?.get(revision);
  }

  named(uid: string): string[] {
    return [...(this.#failed.get(uid)?.keys() ?? [])];
  }

  /** Did that version ever fail on the PoP, whatever was tried again since? */
  hasFailed(uid: string, version: string): boolean {
    return this.#ever.has(`${uid}/${version}`);
  }

  /** A person lets the version be tried again wherever it failed. */
  retried(version: string): void {
    this.#retries.set(version, (this.#retries.get(version) ?? 0) + 1);
    for (const failed of this.#failed.values()) for (const [revision, of] of failed) if (of === version) failed.delete(revision);
    for (const key of this.#ever) if (key.endsWith(`/${version}`)) this.#ever.delete(key);
  }

  popChanged(pop: PopCluster, before: PopCluster | undefined): void {
    const { uid, name } = pop.metadata;
    const { run, revisions } = pop.status ?? {};
    const known = this.#failed.get(uid) ?? new Map<string, string>();
    this.#failed.set(uid, known);
    const stood = before?.status?.revisions?.failed ?? [];
    for (const { revision, version } of revisions?.failed ?? []) {
      if (stood.some((one) => one.revision === revision)) continue;
      known.set(revision, version);
      this.#ever.add(`${uid}/${version}`);
    }
    if (run?.kind !== "Rollback" || before?.status?.run?.id === run.id) return;
    const key = `${uid}/${run.takesBack?.version ?? ""}`;
    const times = (this.#rollbacks.get(key) ?? 0) + 1;
    this.#rollbacks.set(key, times);
    if (times > 1 + (this.#retries.get(run.takesBack?.version ?? "") ?? 0))
      this.#findings.violated("I6", `${name} takes ${run.takesBack?.version} back for the ${times}th time, and nobody asked for it again`);
  }
}
