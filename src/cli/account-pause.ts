import { ACCOUNT_POLICY, type AccountPolicy } from "../api/account-policy.ts";
import type { ClientPolicy } from "../api/client-policy.ts";
import { parseVersion, versionProblem } from "../api/version.ts";
import { isConflict, type Cluster, type JsonPatchOperation } from "../control/ports.ts";
import { isSameVersion, pauseInForce, policyFor, policyKey } from "../core/client/policy.ts";
import { closest } from "../core/closest.ts";
import { formatInstant, parseInstant } from "../core/time/instant.ts";
import { policyOf, systemOf } from "./accounts.ts";
import { reasonOf } from "./client-words.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";

/** What is written beside `clients`. */
export interface AccountPauseOptions {
  readonly account?: string;
  readonly os?: string;
  readonly version?: string;
  readonly reason?: string;
  readonly until?: string;
}

/** How often it is written again when somebody else wrote in between. */
const TRIES = 5;

/** `rollward pause|resume clients --account … --os …`: an account's own pause of one version, in its AccountPolicy (rule C5). */
export async function pauseAccount(io: CliIo, cluster: Cluster, verb: "pause" | "resume", options: AccountPauseOptions): Promise<ExitCode> {
  const asked = askedFor(io, verb, options);
  for (let tries = 1; ; tries += 1) {
    const policy = await policyOf(cluster, asked.account);
    const change = verb === "pause" ? pausing(io, policy, asked) : resuming(policy, asked);
    const { namespace = "", uid, resourceVersion } = policy.metadata;
    const subject = `AccountPolicy ${namespace}, Clients on ${asked.os}`;
    if (change.patch === undefined) {
      io.out(`${subject}: ${change.sentence}; nothing was written\n`);
      return EXIT.ok;
    }
    try {
      await cluster.patch(ACCOUNT_POLICY, policy.metadata.name, namespace, [
        { op: "test", path: "/metadata/uid", value: uid },
        { op: "test", path: "/metadata/resourceVersion", value: resourceVersion },
        change.patch,
      ]);
      io.out(`${subject}: ${change.sentence}\n`);
      if (change.aside !== undefined) io.error(`${change.aside}\n`);
      return EXIT.ok;
    } catch (error) {
      if (!isConflict(error) || tries === TRIES) throw error;
    }
  }
}

type Asked = ReturnType<typeof askedFor>;

/** What the command line says, read; refuses what cannot be meant. */
function askedFor(io: CliIo, verb: "pause" | "resume", { account, os, version, reason, until }: AccountPauseOptions) {
  const refuse = (sentence: string): never => {
    throw new Refusal(EXIT.badInput, sentence);
  };
  const example = `rollward ${verb} clients --account acme --os windows${verb === "pause" ? ' --version 5.12.3 --reason "…"' : ""}`;
  if (account === undefined || os === undefined) return refuse(`whose Clients, on which system? Write ${example}`);
  const system = systemOf(os);
  if (verb === "resume") {
    if (version !== undefined || reason !== undefined || until !== undefined)
      return refuse(`a pause is lifted as a whole; write ${example}`);
    return { account, os: system, version: "", reason: "", until: undefined };
  }
  if (version === undefined) return refuse(`an account's pause names a version; write ${example}`);
  if (parseVersion(version) === undefined) return refuse(`--version: ${versionProblem(version) ?? "it is no version"}`);
  const ends = until === undefined ? undefined : parseInstant(until);
  if (until !== undefined && ends === undefined)
    return refuse(`--until is ${JSON.stringify(until)}, which is no instant; write date, time and offset, for example 2026-12-20T00:00Z`);
  if (ends !== undefined && ends <= io.now())
    return refuse(`--until is ${until}, which is over; write an instant to come, or leave it out`);
  return { account, os: system, version, reason: reasonOf("pause", reason), until: ends };
}

interface Change {
  readonly patch?: JsonPatchOperation;
  readonly sentence: string;
  readonly aside?: string;
}

const ofSystem = ({ spec }: AccountPolicy, { os }: Asked): ClientPolicy | undefined => policyFor(spec.clients, os);

function pausing(io: CliIo, policy: AccountPolicy, asked: Asked): Change {
  const { os, version, reason, until } = asked;
  const own = ofSystem(policy, asked);
  const refuse = (why: string): never => {
    throw new Refusal(
      EXIT.nothingToActOn,
      `AccountPolicy ${policy.metadata.namespace ?? ""}, Clients on ${os}: ${why}; nothing was written`,
    );
  };
  if (own?.upgrade !== "Automatic") return refuse("the account manages them itself, so nothing is offered that could be paused");
  const before = own.pause;
  // One pause, one version: another one in its place would let the first one go on at a moment that nobody chose.
  if (before !== undefined && !isSameVersion(before.version, version) && pauseInForce(own, before.version, io.now()) !== undefined)
    return refuse(
      `${before.version} is paused (${before.reason}), and there is one pause; lift it first by rollward resume clients --account ${asked.account} --os ${policyKey(os)}`,
    );
  const value = { version, reason, ...(until === undefined ? {} : { until: formatInstant(until) }) };
  if (before?.version === version && before.reason === reason && before.until === value.until)
    return { sentence: `${version} is paused already` };
  const ends = until === undefined ? "until somebody resumes it" : `until ${formatInstant(until)}`;
  const aside = unknownVersion(policy, asked);
  return {
    patch: { op: "add", path: `/spec/clients/${policyKey(os)}/pause`, value },
    sentence: `${version} is paused ${ends}; installations in hand finish, and a newer version is not held by it`,
    ...(aside === undefined ? {} : { aside }),
  };
}

/** A version that is not on its way here may still come: it is said, and written all the same. */
function unknownVersion({ status }: AccountPolicy, { os, version }: Asked): string | undefined {
  const known = (status?.clients ?? []).filter((one) => one.os === os).map((one) => one.version);
  if (status?.clients === undefined || known.some((one) => isSameVersion(one, version))) return undefined;
  const meant = closest(version, known);
  const there = known.length === 0 ? "none is on its way to it" : `on their way to it are ${known.join(", ")}`;
  return `no ClientRollout of ${version} is known to the account (${there})${meant === undefined ? "" : `; did you mean ${meant}?`} The pause holds once one comes`;
}

function resuming(policy: AccountPolicy, asked: Asked): Change {
  const own = ofSystem(policy, asked);
  if (own?.pause === undefined) return { sentence: "no pause stands there" };
  return {
    patch: { op: "remove", path: `/spec/clients/${policyKey(asked.os)}/pause` },
    sentence: `the pause of ${own.pause.version} is lifted (${own.pause.reason})`,
  };
}
