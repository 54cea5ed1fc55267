import type { Assignment } from "../../api/pop-rollout.ts";
import { isDowngrade, parseVersion, satisfies, type Version } from "../../api/version.ts";
import type { Instant } from "../decision.ts";
import { rulingOf } from "./approvals.ts";
import { rolloutDigest } from "./digest.ts";
import type { RolloutPop } from "./observation.ts";
import type { RolloutView } from "./view.ts";

/** Whether a PoP that has no share in the rollout yet can get one. */
export type Eligibility =
  | {
      readonly kind: "Eligible";
      /** It failed here before, and an Approval lets it be tried again (RetryFailed). */
      readonly retry?: { readonly at: string; readonly approval: string };
    }
  /** It runs the version already: nothing is to be done. */
  | { readonly kind: "There" }
  | {
      readonly kind: "Skipped";
      readonly reason: NonNullable<Assignment["reason"]>;
      readonly message: string;
      /** The same without the PoP's name, so that those of whom the same is true can be told of together. */
      readonly because: string;
    };

const skipped = (reason: string, message: string, because: string): Eligibility => ({ kind: "Skipped", reason, message, because });

/** May this PoP get the version (rules F1, F8, V3, G8, P15)? From its spec and ledger alone. */
export function eligibilityOf(view: RolloutView, pop: RolloutPop, now: Instant): Eligibility {
  if (pop.deleting) return skipped("Gone", `PoP ${pop.name} is being deleted`, "being deleted");
  if (runsIt(view, pop)) return { kind: "There" };
  return unfitFor(view, pop) ?? failedBefore(view, pop, now);
}

/** Why the version is not for this PoP, whether or not it has a share already: a person's pin, what it runs, how it loads content. */
export const unfitFor = (view: RolloutView, pop: RolloutPop): Eligibility | undefined =>
  (view.content ? contentHold(pop) : versionHold(view, pop)) ?? baseHold(view, pop);

/** The whole PoP runs the version, or has the content, and nothing of it is in hand. */
export function runsIt({ content, version }: RolloutView, pop: RolloutPop): boolean {
  if (content) return pop.content?.current === version && (pop.content.state ?? "Loaded") === "Loaded";
  return (
    pop.version === version && pop.run?.takesBack !== version && (pop.run === undefined || pop.run.version !== version || isSettled(pop))
  );
}

const isSettled = ({ run }: RolloutPop): boolean => run?.state === "Passed" || run?.kind === "Rollback";

function contentHold(pop: RolloutPop): Eligibility | undefined {
  if (!pop.loadsContent) {
    const because = "no spec.content, so nothing says how it loads content";
    return skipped("OtherBase", `PoP ${pop.name} has ${because}`, because);
  }
  if (pop.pinnedContent !== undefined)
    return skipped(
      "PinnedByPerson",
      `spec.content.version of PoP ${pop.name} is ${pop.pinnedContent}; without it the rollout assigns one`,
      `spec.content.version is ${pop.pinnedContent}; without it the rollout assigns one`,
    );
  return undefined;
}

function versionHold(view: RolloutView, pop: RolloutPop): Eligibility | undefined {
  if (pop.pinned !== undefined)
    return skipped(
      "PinnedByPerson",
      `spec.version of PoP ${pop.name} is ${pop.pinned}; without it the rollout assigns one`,
      `spec.version is ${pop.pinned}; without it the rollout assigns one`,
    );
  const target = parseVersion(view.version);
  const newer = versionsOf(pop).find((version) => target !== undefined && isDowngrade(version, target));
  if (newer === undefined) return undefined;
  const because = `runs ${newer.text}, and nothing goes to an older version except by rollback (V3)`;
  return skipped("OtherBase", `PoP ${pop.name} ${because}`, because);
}

/** `from` asks for the version that the PoP runs; one that stopped in mid-roll runs two. */
function baseHold({ spec: { from }, emergency }: RolloutView, pop: RolloutPop): Eligibility | undefined {
  if (from === undefined) return undefined;
  const runs = versionsOf(pop);
  if (runs.some((version) => satisfies(version, from))) return undefined;
  // A new PoP gets its first version by a regular rollout; an emergency mends what runs and brings nothing new.
  if (pop.version === undefined && pop.run === undefined && !emergency) return undefined;
  const because = `runs ${runs.map(({ text }) => text).join(" and ") || "no version yet"}, and the rollout applies to ${from}`;
  return skipped("OtherBase", `PoP ${pop.name} ${because}`, because);
}

function versionsOf(pop: RolloutPop): Version[] {
  const begun = pop.run?.kind === "Roll" && pop.run.state !== "Preflight" ? pop.run.version : undefined;
  return [pop.version, begun].flatMap((text) => (text === undefined ? [] : (parseVersion(text) ?? [])));
}

function failedBefore(view: RolloutView, pop: RolloutPop, now: Instant): Eligibility {
  const verdict = verdictOf(view, pop);
  if (verdict === undefined) return { kind: "Eligible" };
  const ruling = rulingOf(view, "RetryFailed", rolloutDigest(view), now);
  if (ruling.decision === "Approved")
    return { kind: "Eligible", retry: { at: ruling.approval!.createdAt, approval: ruling.approval!.name } };
  return skipped(
    "FailedBefore",
    `${view.version} failed on PoP ${pop.name} at ${verdict.at}: ${verdict.evidence}`,
    `${view.version} failed there; an Approval with action RetryFailed lets it be tried again`,
  );
}

/** The failed verdict of this version on the PoP, if it has one (rule G8). */
export const verdictOf = ({ content, version }: RolloutView, pop: RolloutPop) =>
  (content ? (pop.content?.failed ?? []) : pop.failed).find((one) => one.version === version);
