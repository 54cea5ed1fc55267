import type { PollLinks } from "../core/socket/answer.ts";
import type { CommandRow } from "../core/socket/command.ts";
import type { ArtifactFacts } from "./artifacts.ts";
import type { DevicePath } from "./routes.ts";

/** The documents of the device protocol (DDI of Eclipse hawkBit), as clients read them. */

const link = (href: string) => ({ href });

const deviceUrl = (origin: string, { account, serial }: DevicePath): string => `${origin}/${account}/controller/v1/${serial}`;

/** `HH:MM:SS`, of which clients read no more than a day. */
function clockTime(milliseconds: number): string {
  const seconds = Math.min(Math.round(milliseconds / 1_000), 86_399);
  return [seconds / 3_600, (seconds / 60) % 60, seconds % 60].map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
}

export function pollDocument(origin: string, device: DevicePath, { configData, deployment, cancel }: PollLinks, hint: number): unknown {
  const base = deviceUrl(origin, device);
  return {
    config: { polling: { sleep: clockTime(hint) } },
    _links: {
      ...(configData ? { configData: link(`${base}/configData`) } : {}),
      ...(cancel === undefined ? {} : { cancelAction: link(`${base}/cancelAction/${cancel}`) }),
      ...(deployment === undefined ? {} : { deploymentBase: link(`${base}/deploymentBase/${deployment}`) }),
    },
  };
}

export const cancelDocument = (action: number): unknown => ({ id: String(action), cancelAction: { stopId: String(action) } });

/** Where a file is fetched: by its scheme under the name that clients look for. */
function links(base: string, action: number, { href, filename, hashes }: ArtifactFacts): Record<string, unknown> {
  const url = href ?? `${base}/softwaremodules/${action}/artifacts/${filename}`;
  const suffix = url.startsWith("https:") ? "" : "-http";
  return {
    [`download${suffix}`]: link(url),
    ...(href === undefined && hashes.md5 !== undefined ? { [`md5sum${suffix}`]: link(`${url}.MD5SUM`) } : {}),
  };
}

export const artifactDocument = (origin: string, device: DevicePath, action: number, facts: ArtifactFacts): unknown => ({
  filename: facts.filename,
  hashes: facts.hashes,
  size: facts.size,
  _links: links(deviceUrl(origin, device), action, facts),
});

export interface DeploymentParts {
  readonly row: CommandRow;
  /** Of the rollout; absent: it was deleted while the device was at it. */
  readonly name?: string;
  readonly artifact?: ArtifactFacts;
  /** False: fetch it, and install it when it is shown again with true (rule S13). */
  readonly install: boolean;
}

/** The deployment: one module with one file. */
export function deploymentDocument(origin: string, device: DevicePath, { row, name, artifact, install }: DeploymentParts): unknown {
  const chunk = name !== undefined &&
    artifact !== undefined && {
      part: "os",
      version: row.version,
      name,
      artifacts: [artifactDocument(origin, device, row.action, artifact)],
    };
  return {
    id: String(row.action),
    deployment: {
      download: "forced",
      update: install ? "forced" : "skip",
      maintenanceWindow: install ? "available" : "unavailable",
      chunks: chunk === false ? [] : [chunk],
    },
  };
}

/** What it runs already: written so that a client which took it for an order would do nothing. */
export const installedDocument = ({ action, version }: CommandRow, name: string | undefined): unknown => ({
  id: String(action),
  deployment: {
    download: "skip",
    update: "skip",
    maintenanceWindow: "unavailable",
    chunks: name === undefined ? [] : [{ part: "os", version, name, artifacts: [] }],
  },
});
