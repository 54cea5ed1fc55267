import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A self-signed certificate for 127.0.0.1, localhost and what else is named, valid for a day: Node makes keys but no certificates. */
export interface SelfSigned {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

const TAG = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, sequence: 0x30, set: 0x31, utcTime: 0x17 };
const OID = {
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
};

/** Distinguished encoding of X.690: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(TAG.oid, Buffer.from(bytes));
}

const utcTime = (at: number): Buffer =>
  der(TAG.utcTime, Buffer.from(`${new Date(at).toISOString().replaceAll(/[-:T]/g, "").slice(2, 14)}Z`));
const extension = (id: string, value: Buffer): Buffer => der(TAG.sequence, oid(id), der(TAG.octets, value));

const NOBODY_ELSE = { names: [], addresses: [] };

/** Makes a key and its certificate; `commonName` tells certificates apart in tests of rotation. `addresses` are of IPv4. */
export function selfSigned(
  commonName = "fake API server",
  also: { readonly names: readonly string[]; readonly addresses: readonly string[] } = NOBODY_ELSE,
): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const algorithm = der(TAG.sequence, oid(OID.ecdsaWithSha256));
  const name = der(TAG.sequence, der(TAG.set, der(TAG.sequence, oid(OID.commonName), der(TAG.utf8, Buffer.from(commonName)))));
  const names = der(
    TAG.sequence,
    ...["localhost", ...also.names].map((host) => der(0x82, Buffer.from(host))),
    ...["127.0.0.1", ...also.addresses].map((address) => der(0x87, Buffer.from(address.split(".").map(Number)))),
  );
  const authority = der(TAG.sequence, der(TAG.boolean, Buffer.from([0xff])));
  const now = Date.now();
  const body = der(
    TAG.sequence,
    der(0xa0, der(TAG.integer, Buffer.from([2]))),
    der(TAG.integer, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    der(TAG.sequence, utcTime(now - 3_600_000), utcTime(now + 86_400_000)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(TAG.sequence, extension(OID.basicConstraints, authority), extension(OID.subjectAltName, names))),
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = der(TAG.sequence, body, algorithm, der(TAG.bits, Buffer.from([0]), signature));
  const lines = certificate
    .toString("base64")
    .match(/.{1,64}/g)!
    .join("\n");
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
