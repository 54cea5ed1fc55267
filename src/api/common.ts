import { z } from "zod";
import { DURATION_PATTERN, isDate, isDuration, rules, SET_LIST } from "./cel.ts";

export { DURATION_PATTERN };

/** The API group and version of every kind of ours. */
export const GROUP = "rollward.dev";
export const VERSION = "v1alpha1";
export const API_VERSION = `${GROUP}/${VERSION}`;

/** The longest duration that is read anywhere: ten years. */
const LONGEST = "87840h";

/** A duration such as `336h`, `5m`, `1h30m`; with bounds where a shorter or longer one makes no sense. */
export const duration = (bounds: { readonly atLeast?: string; readonly atMost?: string } = {}) => {
  const { atLeast, atMost = LONGEST } = bounds;
  const inBounds = [...(atLeast ? [`duration(self) >= duration('${atLeast}')`] : []), `duration(self) <= duration('${atMost}')`];
  const words = [...(atLeast ? [`at least ${atLeast}`] : []), ...(atMost === LONGEST ? [] : [`at most ${atMost}`])].join(" and ");
  const message = `write hours, minutes and seconds in whole numbers, for example 336h, 5m or 1h30m${words && `; ${words}`}`;
  return z
    .string()
    .min(2)
    .max(32)
    .regex(new RegExp(DURATION_PATTERN), message)
    .meta(rules({ rule: `${isDuration("self")} && ${inBounds.join(" && ")}`, message }));
};

const WRITE_INSTANT = "write an instant with its offset, for example 2026-11-13T12:00:00Z or 2026-11-13T21:00:00+09:00";
/** An instant, RFC 3339 with any offset; shown in UTC. */
export const instant = () => z.iso.datetime({ offset: true, error: WRITE_INSTANT }).max(40);
/** An instant that a person writes. */
export const writtenInstant = () =>
  instant().meta(
    rules({
      rule: "self.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})$')",
      message: WRITE_INSTANT,
    }),
  );
const WRITE_DATE = 'write a date of the calendar as year, month and day, for example "2026-11-22"';
/** A local calendar date, `2026-11-22`. */
export const localDate = () =>
  z
    .string()
    .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/, WRITE_DATE)
    .max(10)
    .meta(rules({ rule: isDate("self"), message: WRITE_DATE }));
const WRITE_TIME = 'write a local time of day in quotes, from "00:00" to "23:59", for example "01:00"';
/** A local time of day, `01:00`. */
export const localTime = () =>
  z
    .string()
    .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, WRITE_TIME)
    .max(5)
    .meta(
      rules({
        rule: "self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')",
        message: WRITE_TIME,
      }),
    );
/** A canonical IANA time zone name; whether it is one is known only to the controller. `Local` only where something else has a zone. */
export const zoneName = (allowed: { readonly local?: boolean } = {}) =>
  z
    .string()
    .min(1)
    .max(64)
    .meta(
      rules({
        rule: `self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$')${allowed.local ? "" : " && self != 'Local'"}`,
        message: `write ${allowed.local ? "Local, or " : ""}an IANA zone such as Europe/Berlin, Asia/Tokyo or UTC`,
      }),
    );
export const objectName = () => z.string().min(1).max(253);
/** A user as the API server knows one; that of a ServiceAccount has its namespace and name in it, up to 339 characters. */
export const userName = () => z.string().min(1).max(512);
export const shortText = () => z.string().max(256);
export const longText = () => z.string().max(1024);
export const reference = () => z.object({ name: objectName().describe("Its name.") });

export const matchLabels = () => z.record(z.string().max(317), z.string().max(63)).meta({ maxProperties: 32 });
export const labelSelector = () => z.object({ matchLabels: matchLabels().optional() }).meta({ "x-kubernetes-map-type": "atomic" });

/** A condition as Kubernetes tools expect it (kubectl wait, Argo CD, Flux). */
export const condition = z.object({
  type: z.string().max(64),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z.string().max(64),
  message: z.string().max(1024),
  lastTransitionTime: instant(),
  observedGeneration: z.int().optional(),
});
export type Condition = z.infer<typeof condition>;

/** What holds an object, in order; `until` when it is known (rule G2). */
export const hold = z.object({
  rule: z.string().max(16),
  reason: z.string().max(64),
  message: z.string().max(1024),
  until: instant().optional(),
});

export const occurrence = z.object({
  start: instant(),
  lastStart: instant().optional(),
  end: instant(),
  localStart: z.string().max(64),
  note: shortText().optional(),
});
export type OccurrenceStatus = z.infer<typeof occurrence>;

export const freeze = z
  .object({
    name: objectName().describe("Names the freeze in every message, and in an Approval that lifts it."),
    from: localDate().describe("First frozen day, a local date."),
    to: localDate().describe("Last frozen day, a local date, inclusive. A freeze has an end."),
    timeZone: zoneName({ local: true }).optional().describe("The zone of the two dates; left out, that of whatever is frozen."),
    reason: longText().optional().describe("Shown to whoever waits because of it."),
    allow: z
      .array(z.enum(["Content"]))
      .max(1)
      .meta(SET_LIST)
      .optional()
      .describe("What goes on all the same; Content never disrupts."),
  })
  .meta(
    rules({ rule: "self.to >= self.from", message: "the freeze ends before it begins: write its last frozen day as to", fieldPath: ".to" }),
  );
export type Freeze = z.infer<typeof freeze>;

/** The metadata of an object as the API server sends it, as far as Rollward looks at it. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly controller?: boolean;
  }[];
}
