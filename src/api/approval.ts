import { z } from "zod";
import { mapList, rules, SET_LIST } from "./cel.ts";
import { condition, instant, longText, objectName, shortText, type ObjectMeta, userName, writtenInstant } from "./common.ts";
import { AGE_COLUMN, defineResource } from "./define-resource.ts";

export const APPROVAL_ACTIONS = ["Promote", "Emergency", "RetryFailed", "LiftFreeze"] as const;

export const approvalSpec = z
  .object({
    for: z
      .object({
        kind: z.enum(["PoPRollout", "ClientRollout"]).describe("The kind of the object."),
        name: objectName().describe("Its name."),
        uid: z.string().min(1).max(64).describe("The UID of the object: a new one under that name is not approved."),
        digest: z
          .string()
          .max(80)
          .meta(
            rules({
              rule: "self.matches('^sha256:[0-9a-f]{64}$')",
              message: "write the digest that rollward explain prints for what waits: sha256: and 64 hexadecimal digits in lower case",
            }),
          )
          .describe("What is approved; it changes when that changes."),
      })
      .describe("What is decided on."),
    actions: z
      .array(z.enum(APPROVAL_ACTIONS))
      .min(1)
      .max(4)
      .meta(SET_LIST)
      .describe(
        "What is approved or refused: that a wave or phase opens, that an emergency begins, that failed PoPs are tried again, that freezes do not hold it.",
      ),
    freezes: z.array(objectName()).max(8).meta(SET_LIST).optional().describe("Freezes that are lifted for it, by name; with LiftFreeze."),
    decision: z.enum(["Approve", "Refuse"]).describe("Yes or no; a no is kept too."),
    reason: longText()
      .min(1)
      .meta(rules({ rule: "self.matches('[^ ]')", message: "say why: it is kept with the decision" }))
      .describe("Why; it is kept."),
    approvedBy: userName().describe("The user who decides; the API server compares it with who writes."),
    expiresAt: writtenInstant().describe("Not used for the first time after this."),
  })
  .meta(
    rules(
      { rule: "self == oldSelf", message: "a decision is not edited: create another Approval" },
      {
        rule: "('LiftFreeze' in self.actions) == (has(self.freezes) && self.freezes.size() > 0)",
        message: "LiftFreeze names what it lifts: write freezes with the names of the freezes, or leave both out",
        fieldPath: ".freezes",
      },
    ),
  );
export type ApprovalSpec = z.infer<typeof approvalSpec>;

export const approvalStatus = z.object({
  observedGeneration: z.int().optional(),
  used: z
    .array(z.object({ action: z.enum(APPROVAL_ACTIONS), at: instant(), for: shortText() }))
    .max(32)
    .optional()
    .describe("What was done with it; that stays when it expires."),
  conditions: z.array(condition).max(8).meta(mapList("type")).optional(),
});
export type ApprovalStatus = z.infer<typeof approvalStatus>;

export interface Approval {
  readonly apiVersion: string;
  readonly kind: "Approval";
  readonly metadata: ObjectMeta;
  readonly spec: ApprovalSpec;
  readonly status?: ApprovalStatus;
}

export const APPROVAL = defineResource<Approval>({
  kind: "Approval",
  plural: "approvals",
  shortNames: ["apv"],
  description: "A person's decision on exactly one thing that waits for it: who, what, why, until when.",
  spec: approvalSpec,
  status: approvalStatus,
  columns: [
    { name: "For", jsonPath: ".spec.for.name" },
    { name: "Decision", jsonPath: ".spec.decision" },
    { name: "Actions", jsonPath: ".spec.actions" },
    { name: "By", jsonPath: ".spec.approvedBy" },
    { name: "Expires", jsonPath: ".spec.expiresAt" },
    { name: "Accepted", jsonPath: '.status.conditions[?(@.type=="Accepted")].reason' },
    { name: "Reason", jsonPath: ".spec.reason", priority: 1 },
    AGE_COLUMN,
  ],
  selectableFields: [".spec.for.name"],
});
