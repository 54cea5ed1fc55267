import type { Command } from "commander";
import { SOCKET_ROLLOUT, type SocketRollout } from "../api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite } from "../api/socket-site.ts";
import { compareVersions, isDowngrade, parseVersion, versionProblem, type Version } from "../api/version.ts";
import { ApiError, isConflict, type Cluster, type JsonPatchOperation } from "../control/ports.ts";
import { closest } from "../core/closest.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { findTarget } from "./target.ts";
import { withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

interface UpgradeOptions extends ClusterOptions {
  readonly acceptDowntime?: boolean;
}

interface Asked {
  readonly serial: string;
  readonly version: Version;
  readonly acceptDowntime: boolean;
}

/** How often a request is written again when somebody else wrote in between. */
const TRIES = 5;

/** `rollward upgrade-now site/NS/NAME SERIAL VERSION`: one Socket, without window, notice and ramp, with every guard (rule S4). */
export function registerUpgradeNow(program: Command, io: CliIo): void {
  withClusterOptions(
    program
      .command("upgrade-now")
      .description("upgrades one Socket of a site as soon as its guards allow: no window, no notice, no ramp")
      .argument("<site>", "for example site/acme/berlin")
      .argument("<serial>", "the Socket, one of the site's")
      .argument("<version>", "a version that a SocketRollout carries"),
  )
    .option("--accept-downtime", "although the other Socket of the pair is not connected: the site is down meanwhile")
    .action((site: string, serial: string, version: string, options: UpgradeOptions) =>
      withCluster(io, options, (cluster) => upgradeNow(io, cluster, { site, serial, version }, options)),
    );
}

async function upgradeNow(
  io: CliIo,
  cluster: Cluster,
  words: { readonly site: string; readonly serial: string; readonly version: string },
  { namespace, acceptDowntime = false }: UpgradeOptions,
): Promise<ExitCode> {
  const version = parseVersion(words.version);
  if (version === undefined) throw new Refusal(EXIT.badInput, versionProblem(words.version)!);
  const asked = { serial: words.serial, version, acceptDowntime };
  for (let tries = 1; ; tries += 1) {
    const { object: site } = await findTarget(cluster, words.site, namespace, ["SocketSite"]);
    const carrier = await carrierOf(cluster, namespace, version);
    const sentence = whatItDoes(site, asked, carrier);
    try {
      await cluster.patch(SOCKET_SITE, site.metadata.name, site.metadata.namespace, requestPatch(site, asked, io.now()));
      io.out(
        `${subjectOf(site)}: ${sentence}; rollward explain site/${site.metadata.namespace}/${site.metadata.name} says what comes of it\n`,
      );
      return EXIT.ok;
    } catch (error) {
      // The operator writes the status all the time; what was checked above has to be checked again on what stands there now.
      if (!isConflict(error) || tries === TRIES) throw error;
    }
  }
}

const subjectOf = ({ metadata }: SocketSite): string => `SocketSite ${metadata.namespace ?? ""}/${metadata.name}`;

/** Who carries the version. An account cannot read the provider's rollouts: then the operator says it. */
async function carrierOf(cluster: Cluster, namespace: string, version: Version): Promise<SocketRollout | readonly string[] | "Unknown"> {
  try {
    const rollouts = await cluster.list<SocketRollout>(SOCKET_ROLLOUT, { namespace });
    const same = ({ spec }: SocketRollout): boolean => {
      const its = parseVersion(spec.version);
      return its !== undefined && compareVersions(its, version) === 0;
    };
    const open = rollouts.filter(({ status }) => status?.stopped === undefined);
    return open.find(same) ?? rollouts.find(same) ?? open.map(({ spec }) => spec.version);
  } catch (error) {
    if (error instanceof ApiError && (error.code === 403 || error.code === 404)) return "Unknown";
    throw error;
  }
}

/** What the request would do, or a refusal when the operator would refuse it. What only holds it is told, and written all the same. */
function whatItDoes(site: SocketSite, { serial, version, acceptDowntime }: Asked, carrier: Awaited<ReturnType<typeof carrierOf>>): string {
  const refuse = (why: string): never => {
    throw new Refusal(EXIT.nothingToActOn, `${subjectOf(site)}: ${why}; nothing was written`);
  };
  const serials = site.spec.sockets.map((socket) => socket.serial);
  if (!serials.includes(serial)) {
    const meant = closest(serial, serials);
    return refuse(
      `no Socket ${serial} is at this site; ${meant === undefined ? `it has ${serials.join(" and ")}` : `did you mean ${meant}?`}`,
    );
  }
  if (carrier !== "Unknown" && !("spec" in carrier))
    return refuse(
      `no SocketRollout carries ${version.text}; ${carrier.length === 0 ? "there is none" : `write one of ${carrier.slice(0, 10).join(", ")}`}`,
    );
  if (carrier !== "Unknown" && carrier.status?.stopped !== undefined)
    return refuse(`SocketRollout ${carrier.metadata.name} is stopped and starts nothing more`);
  const { sockets = [], upgrade } = site.status ?? {};
  const socket = sockets.find((one) => one.serial === serial);
  const runs = socket?.version === undefined ? undefined : parseVersion(socket.version);
  if (runs !== undefined && compareVersions(runs, version) === 0) return refuse(`${serial} runs ${version.text} already`);
  if (runs !== undefined && isDowngrade(runs, version)) return refuse(`${serial} runs ${runs.text}, and nothing is downgraded (rule V3)`);
  const partner = sockets.find((one) => one.serial !== serial);
  const waits = [
    ...(upgrade?.command === undefined ? [] : [`the upgrade of ${upgrade.command.serial} in hand is over`]),
    ...(socket?.connected === false ? [`${serial} is connected`] : []),
    ...(partner?.connected === false && !acceptDowntime ? [`${partner.serial} is connected (or ask with --accept-downtime)`] : []),
  ];
  const until = waits.length === 0 ? "" : `; it waits, for a day at most, until ${waits.join(" and ")}`;
  return `${serial} is asked to go to ${version.text} now${until}`;
}

function requestPatch({ metadata, spec }: SocketSite, { serial, version, acceptDowntime }: Asked, now: number): JsonPatchOperation[] {
  const value = { serial, version: version.text, at: new Date(now).toISOString(), ...(acceptDowntime ? { acceptDowntime } : {}) };
  return [
    // Another object of the same name is another thing (rule G6).
    { op: "test", path: "/metadata/uid", value: metadata.uid },
    { op: "test", path: "/metadata/resourceVersion", value: metadata.resourceVersion },
    spec.requests === undefined
      ? { op: "add", path: "/spec/requests", value: { upgradeNow: value } }
      : { op: "add", path: "/spec/requests/upgradeNow", value },
  ];
}
