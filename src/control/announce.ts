import type { ObjectMeta } from "../api/common.ts";
import type { Announcement } from "../core/decision.ts";
import type { EventSink } from "./ports.ts";

/** What an Event is about. A projected object may have lost its `apiVersion`: it is given by whoever knows the kind. */
interface Regarded {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** The Events of one decision, as they are published. */
export function announce(events: EventSink, announcements: readonly Announcement[], { apiVersion, kind, metadata }: Regarded): void {
  const { name, namespace = "", uid } = metadata;
  const regarding = { apiVersion, kind, name, namespace, uid };
  for (const { type, reason, action, message } of announcements) events.publish({ type, reason, action, note: message, regarding });
}
