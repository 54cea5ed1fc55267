import { z } from "zod";
import { rules } from "./cel.ts";

/** Where devices fetch an artifact: an address, or the name of a file in the gateway's own folder. */
export const artifactAddress = (who: string, file: string) =>
  z
    .string()
    .min(1)
    .max(1024)
    .meta(
      rules({
        rule: "self.matches('^https?://[^ /@]+(/[^ ]*)?$') || self.matches('^[0-9A-Za-z][0-9A-Za-z._-]*$')",
        message:
          `write where ${who} fetch it, for example https://artifacts.example.com/${file} (no user name in it), ` +
          "or the name of a file in the gateway's own artifact folder",
      }),
    )
    .describe(`An address that ${who} can reach, or the name of a file that the gateway serves itself.`);

export const sha256 = (field: string) =>
  z
    .string()
    .max(64)
    .meta(
      rules({
        rule: "self.matches('^[0-9a-f]{64}$')",
        message: `write the SHA-256 of the artifact as 64 lower-case hexadecimal digits, as sha256sum prints it, as ${field}`,
      }),
    )
    .describe("Part of the revision: another artifact is another revision, and needs a rollout of its own.");

export const artifactSize = () => z.int().min(1).max(1_099_511_627_776).describe("Its size in bytes.");
