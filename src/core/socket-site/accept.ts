import { freezeProblems, windowProblems } from "../window/parse.ts";
import type { Hold } from "../decision.ts";
import { zoneProblem } from "../time/zone.ts";
import type { SiteInventory, SocketSiteObservation } from "./observation.ts";

/** A Socket as the site names it, with the model that it has reported, or was written. */
interface NamedSocket {
  readonly serial: string;
  readonly model: string | undefined;
  readonly report: { readonly model?: string | undefined } | undefined;
}

/** Why nothing starts at this site until a person corrects something (rules S3, W10). Each says what to write instead. */
export function problemsOf(seen: SocketSiteObservation, inventory: SiteInventory, sockets: readonly NamedSocket[]): readonly Hold[] {
  return [...accountProblems(seen), ...serialProblems(seen, inventory, sockets), ...modelProblems(seen, sockets), ...windowTrouble(seen)];
}

function accountProblems(seen: SocketSiteObservation): readonly Hold[] {
  if (seen.account !== undefined) return [];
  const message = `namespace ${seen.site.namespace} belongs to no account; label it rollward.dev/account=<account>; nothing starts until then`;
  return [{ rule: "S3", reason: "NoAccount", message }];
}

function serialProblems(seen: SocketSiteObservation, inventory: SiteInventory, sockets: readonly NamedSocket[]): readonly Hold[] {
  return sockets.flatMap(({ serial }): readonly Hold[] => {
    const twice = seen.claimedTwice.get(serial);
    if (twice !== undefined) {
      // Of a site of somebody else nothing is told, not even that it is one (rule I15).
      const other = twice.sameAccount === undefined ? "" : ` (${twice.sameAccount})`;
      const message = `serial ${serial} is named by another site too${other}; nothing starts on either until one of them is corrected`;
      return [{ rule: "S3", reason: "SerialNotOwned", message }];
    }
    if (inventory.devices.has(serial) && !inventory.foreign.has(serial)) return [];
    const message = `serial ${serial} is not enrolled for this account; correct it, or have the provider enroll it; nothing starts until then`;
    return [{ rule: "S3", reason: "SerialNotOwned", message }];
  });
}

function modelProblems(seen: SocketSiteObservation, sockets: readonly NamedSocket[]): readonly Hold[] {
  for (const { serial, model } of seen.site.spec.sockets) {
    const reported = sockets.find((one) => one.serial === serial)?.report?.model;
    if (model === undefined || reported === undefined || model === reported) continue;
    const message = `Socket ${serial} reports model ${reported}, and the site expects ${model}; correct the site, or the device`;
    return [{ rule: "S3", reason: "ModelMismatch", message }];
  }
  const [first, second] = sockets;
  if (first?.model === undefined || second?.model === undefined || first.model === second.model) return [];
  const found = `Socket ${first.serial} is a ${first.model} and ${second.serial} a ${second.model}`;
  return [{ rule: "S3", reason: "ModelMismatch", message: `${found}; a pair is of one model, and nothing starts until it is` }];
}

function windowTrouble({ window, fleet, site }: SocketSiteObservation): readonly Hold[] {
  const invalid = (message: string): readonly Hold[] => [{ rule: "W10", reason: "WindowInvalid", message }];
  if (window === undefined)
    return invalid("neither site, account nor provider names a maintenance window; name one; nothing starts until then");
  const called = `MaintenanceWindow ${window.name} (${FROM[window.from]})`;
  if (window.spec === undefined) return invalid(`${called} does not exist; nothing starts until it does`);
  const zoned = zoneProblem(site.spec.timeZone);
  const found = [
    ...windowProblems(window.spec),
    ...freezeProblems(fleet?.freezes ?? [], "freezes"),
    ...(zoned === undefined ? [] : [`timeZone of the site: ${zoned}`]),
  ];
  return found.length === 0 ? [] : invalid(`${called}: ${found.join("; ")}; nothing starts until that is corrected`);
}

const FROM = { Site: "of the site", Account: "of the account", ProviderDefault: "the provider's default" } as const;
