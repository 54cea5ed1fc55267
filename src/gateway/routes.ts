import { ACCOUNT, SERIAL } from "../control/device-credentials.ts";

/** Whom a call is about: the tenant and the controller of the protocol. */
export interface DevicePath {
  readonly account: string;
  readonly serial: string;
}

/** A call of the device protocol (DDI), by its path. */
export type Route = DevicePath &
  (
    | { readonly to: "poll" | "configData" | "confirmationBase" }
    | {
        readonly to: "deployment" | "deploymentFeedback" | "installed" | "cancelAction" | "cancelFeedback";
        readonly action: number;
      }
    | { readonly to: "artifacts"; readonly action: number }
    | { readonly to: "artifact" | "checksum"; readonly action: number; readonly file: string }
  );

const ACTION = /^[1-9][0-9]{0,9}$/;
const FILE = /^[0-9A-Za-z][0-9A-Za-z._-]{0,254}$/;
const CHECKSUM = ".MD5SUM";
/** Longer paths are nobody's. */
const LONGEST = 512;

/** The methods that a call answers to; clients write feedback by POST and attributes by PUT, some the other way round. */
export const METHODS: Readonly<Record<Route["to"], readonly string[]>> = {
  poll: ["GET"],
  configData: ["PUT", "POST"],
  confirmationBase: ["GET"],
  deployment: ["GET"],
  deploymentFeedback: ["POST", "PUT"],
  installed: ["GET"],
  cancelAction: ["GET"],
  cancelFeedback: ["POST", "PUT"],
  artifacts: ["GET"],
  artifact: ["GET", "HEAD"],
  checksum: ["GET", "HEAD"],
};

/** Which call a request is; undefined: none of ours. A query (`?c=…`) says nothing to us. */
export function routeOf(url: string): Route | undefined {
  if (url.length > LONGEST) return undefined;
  const [empty, account = "", controller, version, serial = "", ...rest] = url.split("?", 1)[0]!.split("/");
  if (empty !== "" || controller !== "controller" || version !== "v1" || !ACCOUNT.test(account) || !SERIAL.test(serial)) return undefined;
  const device = { account, serial };
  const [first, number = "", word, file = ""] = rest;
  if (first === undefined) return { ...device, to: "poll" };
  if (rest.length === 1 && (first === "configData" || first === "confirmationBase")) return { ...device, to: first };
  const action = ACTION.test(number) ? Number(number) : undefined;
  if (action === undefined) return undefined;
  switch (`${first}/${word ?? ""}:${rest.length}`) {
    case "deploymentBase/:2":
      return { ...device, to: "deployment", action };
    case "deploymentBase/feedback:3":
      return { ...device, to: "deploymentFeedback", action };
    case "installedBase/:2":
      return { ...device, to: "installed", action };
    case "cancelAction/:2":
      return { ...device, to: "cancelAction", action };
    case "cancelAction/feedback:3":
      return { ...device, to: "cancelFeedback", action };
    case "softwaremodules/artifacts:3":
      return { ...device, to: "artifacts", action };
    case "softwaremodules/artifacts:4":
      return artifactRoute(device, action, file);
    default:
      return undefined;
  }
}

function artifactRoute(device: DevicePath, action: number, file: string): Route | undefined {
  if (!FILE.test(file)) return undefined;
  if (!file.endsWith(CHECKSUM)) return { ...device, to: "artifact", action, file };
  return { ...device, to: "checksum", action, file: file.slice(0, -CHECKSUM.length) };
}
