import { parseNumber } from "../health/exposition.ts";
import { cleanText } from "../text.ts";

/** What a Prometheus said of the tunnels of one PoP. */
export type TunnelAnswer =
  | {
      readonly ok: true;
      /** `<namespace>/<name>` of a site → whether one of its tunnels is up; who exists is not known here. */
      readonly sites: ReadonlyMap<string, boolean>;
      /** Series that name no site, or that do not say of which PoP they are. */
      readonly ignored: number;
    }
  | { readonly ok: false; readonly detail: string };

/** Sites that one PoP may tell of; more is not a PoP's. */
export const MOST_SITES = 50_000;
/** 40,000 sites with names of the usual length are 6 MB. */
export const ANSWER_BYTES = 32 * 1024 * 1024;
const DETAIL_LIMIT = 256;
/** A namespace and a name as Kubernetes takes them; anything else is nobody's label. */
const SITE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/**
 * The one query a minute: of each site whether any of its tunnels to this PoP is up, on whichever node. `pop` is the label that data
 * planes bear where one Prometheus has several PoPs; where it has one, it may be missing.
 */
export const tunnelQuery = (pop: string): string => `max by (site, pop) (pop_tunnel_up{pop=~"${pop.replaceAll(".", "\\\\.")}|"})`;

/**
 * Reads the answer. Labels come from far outside: what is no name of a site is left out and counted, and so is a series without a `pop`
 * where the Prometheus has more than this PoP, for it would make every site one of every PoP (rules F2, G12).
 */
export function readTunnels(
  answer: { readonly status: number; readonly body: string; readonly truncated?: boolean },
  { pop, alone }: { readonly pop: string; readonly alone: boolean },
): TunnelAnswer {
  if (answer.truncated === true) return unreadable(`answered more than ${ANSWER_BYTES / 1024 / 1024} MB`);
  const result = vectorOf(answer.body);
  if (result === undefined) return unreadable(answer.status === 0 ? answer.body : `answered ${answer.status}, and no vector of series`);
  const sites = new Map<string, boolean>();
  let ignored = 0;
  for (const series of result) {
    const labels = fieldsOf(fieldsOf(series)?.["metric"]);
    const value = valueOf(fieldsOf(series)?.["value"]);
    const site = labels?.["site"];
    const of = labels?.["pop"] ?? "";
    const believed = typeof site === "string" && SITE.test(site) && (of === pop || (of === "" && alone));
    if (!believed || value === undefined || sites.size >= MOST_SITES) ignored += 1;
    else sites.set(site, sites.get(site) === true || value > 0);
  }
  return { ok: true, sites, ignored };
}

const unreadable = (detail: string): TunnelAnswer => ({ ok: false, detail: cleanText(detail, DETAIL_LIMIT) });

function vectorOf(body: string): readonly unknown[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  const data = fieldsOf(fieldsOf(parsed)?.["data"]);
  const result = fieldsOf(parsed)?.["status"] === "success" && data?.["resultType"] === "vector" ? data["result"] : undefined;
  return Array.isArray(result) ? result : undefined;
}

/** NaN is no word about a tunnel (rule G9). */
function valueOf(sample: unknown): number | undefined {
  const value = Array.isArray(sample) && typeof sample[1] === "string" ? parseNumber(sample[1]) : undefined;
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
