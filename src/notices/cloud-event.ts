import type { Notice } from "../core/socket/notice.ts";
import { cleanText } from "../core/text.ts";
import { formatZoned } from "../core/time/format.ts";
import { formatInstant } from "../core/time/instant.ts";
import { zoneProblem } from "../core/time/zone.ts";

export const CONTENT_TYPE = "application/cloudevents+json; charset=utf-8";
const LONGEST_MESSAGE = 2_048;

/** A notice as CloudEvents 1.0 in structured mode. `id` is of what the notice says: whoever has seen it drops the repeat (rule I9). */
export function cloudEvent(notice: Notice, at: number): string {
  const { id, kind, account, site, zone, version, start, message, releaseNotes, sockets } = notice;
  const { namespace, name, uid } = site;
  return JSON.stringify({
    specversion: "1.0",
    type: `dev.rollward.socket.${kind}`,
    source: `/apis/rollward.dev/v1alpha1/namespaces/${namespace}/socketsites/${name}`,
    subject: `${namespace}/${name}`,
    id,
    time: formatInstant(at),
    datacontenttype: "application/json",
    data: {
      account,
      site: { namespace, name, uid, timeZone: zone },
      ...(sockets === undefined ? {} : { sockets }),
      ...(version === undefined ? {} : { version }),
      ...(start === undefined ? {} : { plannedStart: plannedStart(start, zone) }),
      message: cleanText(message, LONGEST_MESSAGE),
      ...(releaseNotes === undefined ? {} : { releaseNotes }),
    },
  });
}

/** The start of the window on both clocks; a zone that cannot be read leaves UTC alone. */
const plannedStart = (start: number, zone: string) => ({
  utc: formatInstant(start),
  ...(zoneProblem(zone) === undefined ? { local: formatZoned(start, zone) } : {}),
});
