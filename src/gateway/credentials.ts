import type { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { hashOf } from "../control/device-credentials.ts";
import type { Caller, DeviceInventory } from "../control/inventory.ts";
import type { DevicePath } from "./routes.ts";

const HEADER = /^(TargetToken|GatewayToken) ([0-9A-Za-z_.~+/=-]{16,256})$/;

/** The certificates that may issue for the devices of one account, by account. */
export type ClientAuthorities = ReadonlyMap<string, readonly X509Certificate[]>;

/**
 * Who calls, if it is who the path says: by a token of the device, a token of its account, or a certificate of the account's authority
 * with the serial as its name. Undefined says nothing of why. That the serial is enrolled in the account, the inventory has to know.
 */
export async function callerOf(
  request: IncomingMessage,
  { account, serial }: DevicePath,
  inventory: Pick<DeviceInventory, "authenticate">,
  authorities: ClientAuthorities,
  now: number,
): Promise<Caller | undefined> {
  const written = request.headers.authorization;
  if (written === undefined) return certified(request, { account, serial }, authorities);
  const [, scheme, token] = HEADER.exec(written) ?? [];
  if (scheme === undefined || token === undefined) return undefined;
  // Looked up by hash: what the comparison takes tells of the hash, and a hash that fits cannot be made from that.
  const caller = await inventory.authenticate(hashOf(token), now);
  if (caller?.account !== account) return undefined;
  const isOfDevice = caller.serial !== undefined;
  if (isOfDevice !== (scheme === "TargetToken")) return undefined;
  return !isOfDevice || caller.serial === serial ? caller : undefined;
}

/** Issued by another account's authority, a certificate is as good as none (rule I15). */
function certified(request: IncomingMessage, { account, serial }: DevicePath, authorities: ClientAuthorities): Caller | undefined {
  const socket = request.socket as Partial<TLSSocket>;
  if (socket.authorized !== true) return undefined;
  const certificate = socket.getPeerX509Certificate?.();
  if (certificate === undefined || socket.getPeerCertificate?.().subject?.CN !== serial) return undefined;
  const issued = (authorities.get(account) ?? []).some((authority) => issuedBy(certificate, authority));
  return issued ? { account, serial } : undefined;
}

const issuedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
