import { CLIENT_SYSTEMS, type ClientSystem } from "../../api/client-rollout.ts";

/** The application that Clients name, unless the provider has a name of its own. */
export const DEFAULT_APP_ID = "rollward.client";

/** How clients of the protocol call the systems, beside our own names. */
const PLATFORMS: ReadonlyMap<string, ClientSystem> = new Map([
  ["windows", "Windows"],
  ["win", "Windows"],
  ["macos", "macOS"],
  ["mac", "macOS"],
  ["mac os x", "macOS"],
  ["darwin", "macOS"],
  ["linux", "Linux"],
]);

/**
 * The system that an app is for. `ID.windows`, `ID.macos` and `ID.linux` say it themselves; under ID alone the platform says it. Names
 * are compared without case, as the protocol's GUIDs are.
 */
export function systemOf(
  appId: string,
  platform: string | undefined,
  baseId: string,
): ClientSystem | "UnknownApplication" | "UnsupportedSystem" {
  const [asked, base] = [appId.toLowerCase(), baseId.toLowerCase()];
  if (asked === base) return PLATFORMS.get(platform?.toLowerCase() ?? "") ?? "UnsupportedSystem";
  if (!asked.startsWith(`${base}.`)) return "UnknownApplication";
  const suffix = asked.slice(base.length + 1);
  return CLIENT_SYSTEMS.find((system) => system.toLowerCase() === suffix) ?? "UnknownApplication";
}
