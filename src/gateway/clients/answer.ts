import type { ClientSystem } from "../../api/client-rollout.ts";
import type { AnsweredCall, ClientCall, ClientTrack } from "../../control/clients/check-in.ts";
import { type NoUpdateReason, untilText } from "../../core/client/no-update.ts";
import type { Instant } from "../../core/decision.ts";
import type { OmahaApp, OmahaRequest } from "../../omaha/request.ts";
import type { AppResponse, NoUpdate, OmahaResponse, Update } from "../../omaha/response.ts";
import { isInFolder } from "../artifacts.ts";
import { systemOf } from "./apps.ts";
import { saidBy } from "./said.ts";

/** What a request was answered with, for counting: of its first app. */
export type ClientAnswerName =
  | NoUpdateReason
  | "Offer"
  | "Report"
  | "NotKept"
  | "UnknownApplication"
  | "UnsupportedSystem"
  | "NoDevice"
  | "Unreadable"
  | "Unauthorized"
  | "TooMany"
  | "Unavailable"
  | "File";

/** An app of a request with the call that it is; or the answer to one that is none. */
export type AppCall =
  | { readonly app: OmahaApp; readonly call: ClientCall }
  | { readonly app: OmahaApp; readonly refused: AppResponse; readonly name: ClientAnswerName };

/** The apps of a request as calls. A device has one system: what a second app says of the same device is not believed. */
export function callsOf(request: OmahaRequest, account: string, baseAppId: string): readonly AppCall[] {
  const devices = new Set<string>();
  return request.apps.map((app) => {
    const os = systemOf(app.appId, request.platform, baseAppId);
    if (os === "UnknownApplication") return { app, refused: refusal(app, "error-unknownApplication"), name: os };
    if (os === "UnsupportedSystem") return { app, refused: refusal(app, "error-osnotsupported"), name: os };
    const device = app.machineId ?? request.machineId;
    if (device === undefined) {
      const updateCheck = app.updateCheck && noUpdate("NoDevice", "the request names no device; write its machineid");
      return { app, refused: { ...accepted(app), ...(updateCheck === undefined ? {} : { updateCheck }) }, name: "NoDevice" };
    }
    if (devices.has(device)) return { app, refused: refusal(app, "error-invalidAppId"), name: "NoDevice" };
    devices.add(device);
    return { app, call: callOf(request, app, { account, device, os }) };
  });
}

function callOf(
  request: OmahaRequest,
  app: OmahaApp,
  of: { readonly account: string; readonly device: string; readonly os: ClientSystem },
): ClientCall {
  const said = saidBy(app.events);
  const user = app.user ?? request.user;
  return {
    ...of,
    ...(app.version === undefined ? {} : { version: app.version }),
    ...(user === undefined ? {} : { user }),
    ...(request.requestId === undefined ? {} : { requestId: request.requestId }),
    ...(app.updateCheck === undefined ? {} : { asks: app.updateCheck }),
    ...(said === undefined ? {} : { said }),
  };
}

const refusal = (app: OmahaApp, status: AppResponse["status"]): AppResponse => ({ appId: app.appId, status, ping: false, events: 0 });

const accepted = ({ appId, ping, events }: OmahaApp): AppResponse => ({ appId, status: "ok", ping, events: events.length });

const noUpdate = (reason: string, message: string, until?: Instant): NoUpdate => ({
  status: "noupdate",
  reason: `${reason}: ${message}${untilText(until)}`,
});

/** What a device is answered that is not kept (rule I19): nothing could be counted of it, a failure neither. */
export const notKept = (app: OmahaApp, why: string): AppResponse => ({
  ...accepted(app),
  ...(app.updateCheck === undefined ? {} : { updateCheck: noUpdate("NotKept", why) }),
});

/** `folder`: where the files of the gateway's own folder are fetched. */
export function appResponse(app: OmahaApp, { answer, track }: AnsweredCall, folder: string): AppResponse {
  const common = { ...accepted(app), ...cohortOf(track) };
  if (answer === undefined) return common;
  if (answer.kind === "NoUpdate") return { ...common, updateCheck: noUpdate(answer.reason, answer.message, answer.until) };
  const { artifact, version, releaseNotes } = answer.rollout;
  const [codebase, name] = parted(artifact.url, folder);
  const updateCheck: Update = {
    status: "ok",
    version,
    codebases: [codebase],
    package: { name, sha256: artifact.sha256, size: artifact.size },
    experience: answer.experience,
    ...(releaseNotes === undefined ? {} : { releaseNotes }),
  };
  return { ...common, updateCheck };
}

/** Folder and name, which clients put together again; a query stays with the name. */
function parted(url: string, folder: string): readonly [codebase: string, name: string] {
  if (isInFolder(url)) return [folder, url];
  const end = url.split(/[?#]/, 1)[0]!.lastIndexOf("/") + 1;
  return [url.slice(0, end), url.slice(end)];
}

/** The part of the fleet that a Client is in, for its own pages and logs; the next answer says it anew. */
function cohortOf(track: ClientTrack): Pick<AppResponse, "cohort" | "cohortName"> {
  if (track.kind === "Reached") return { cohort: `${track.version}/${track.stage}`, cohortName: `${track.version} ${track.stage}` };
  return track.kind === "Managed"
    ? { cohort: "managed", cohortName: "Managed by the account" }
    : { cohort: "waiting", cohortName: "Waiting" };
}

const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(2007, 0, 1);

/** Days are those of UTC: clients compare them with each other and with nothing else. */
export const responseOf = (protocol: string, apps: readonly AppResponse[], now: Instant): OmahaResponse => ({
  protocol,
  dayStart: { elapsedDays: Math.floor((now - FIRST_DAY) / DAY), elapsedSeconds: Math.floor((now % DAY) / 1_000) },
  apps,
});
