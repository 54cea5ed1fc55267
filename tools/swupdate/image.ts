// A signed software image for swupdate: a cpio archive of its description, the signature, and one script that is the installation.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { SwupdateUnavailable } from "./install.ts";

const run = promisify(execFile);

/**
 * What the image does on a device, whose folder it finds in SOCKET: it writes into its ledger that it begins, waits while there is a file
 * `hold`, fails if there is a file `broken`, and then the device runs the version. It ends when the file that POWER names is gone: killing
 * swupdate leaves its script alone, and a device without power runs nothing.
 */
const installation = (version: string): string => `#!/bin/sh
[ "$1" = postinst ] || exit 0
echo "begins ${version}" >> "$SOCKET/ledger"
while [ -e "$SOCKET/hold" ] && [ -e "$POWER" ]; do sleep 0.05; done
[ -e "$POWER" ] || exit 1
[ ! -e "$SOCKET/broken" ] || exit 1
echo "${version}" > "$SOCKET/version"
echo "installed ${version}" >> "$SOCKET/ledger"
`;

const description = (version: string, sha256: string): string => `software = {
  version = "${version}";
  hardware-compatibility: [ "1.0" ];
  scripts: ( { filename = "install.sh"; type = "shellscript"; sha256 = "${sha256}"; } );
};
`;

/** The file with the certificate by which devices check images. */
export const signerIn = (folder: string): string => join(folder, "signer.pem");

/** Makes the image of a version, signed by the folder's own key. Throws SwupdateUnavailable where there is no openssl to sign with. */
export async function buildImage(folder: string, version: string): Promise<Buffer> {
  const [key, certificate] = [join(folder, "signer.key"), signerIn(folder)];
  const script = Buffer.from(installation(version));
  const described = join(folder, "sw-description");
  writeFileSync(described, description(version, createHash("sha256").update(script).digest("hex")));
  try {
    if (!existsSync(key)) {
      const subject = ["-subj", "/CN=signer", "-days", "2"];
      await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, ...subject]);
    }
    const how = ["-outform", "DER", "-nosmimecap", "-binary"];
    await run("openssl", ["cms", "-sign", "-in", described, "-out", `${described}.sig`, "-signer", certificate, "-inkey", key, ...how]);
  } catch (error) {
    throw new SwupdateUnavailable(`swupdate takes signed images only, and openssl made no signature: ${String(error)}`);
  }
  return cpio([
    ["sw-description", readFileSync(described)],
    ["sw-description.sig", readFileSync(`${described}.sig`)],
    ["install.sh", script],
  ]);
}

const BLOCK = 512;
const padded = (bytes: Buffer, to: number): Buffer => Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);

/** The archive that swupdate reads: cpio "new portable" with checksums. */
function cpio(files: readonly (readonly [string, Buffer])[]): Buffer {
  return padded(Buffer.concat([...files, ["TRAILER!!!", Buffer.alloc(0)] as const].map(([name, data]) => entry(name, data))), BLOCK);
}

function entry(name: string, data: Buffer): Buffer {
  const named = Buffer.from(`${name}\0`);
  const checksum = data.reduce((sum, byte) => (sum + byte) >>> 0, 0);
  const fields = [1, 0o100644, 0, 0, 1, 0, data.length, 0, 0, 0, 0, named.length, checksum];
  const header = Buffer.from(`070702${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return Buffer.concat([padded(Buffer.concat([header, named]), 4), padded(data, 4)]);
}
