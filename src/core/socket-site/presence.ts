import { compareVersions } from "../../api/version.ts";
import type { SocketSiteStatus } from "../../api/socket-site.ts";
import { cleanText } from "../text.ts";
import type { Outcome } from "./outcome.ts";
import { iso, type SiteView, type SocketView } from "./view.ts";

type Shown = NonNullable<SocketSiteStatus["sockets"]>[number];
const TEXT_LIMIT = 63;
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** What the Sockets report, as status shows it: no heartbeat, only what changes (rules G11, G12). */
export function presence(view: SiteView): Outcome {
  const { ledger, seen } = view;
  const { pop: _, lowestVersion: __, windowFrom: ___, ...rest } = ledger;
  const active = view.sockets.find(({ state }) => state === "Active") ?? view.sockets.find(({ connected }) => connected);
  const pop = active?.report?.pop;
  const lowest = view.sockets.flatMap(({ version }) => version ?? []).toSorted(compareVersions)[0];
  return {
    ledger: {
      ...rest,
      ...(pop !== undefined && pop.length <= TEXT_LIMIT && NAME.test(pop) ? { pop } : {}),
      ...(seen.window === undefined ? {} : { windowFrom: seen.window.from }),
      ...(lowest === undefined ? {} : { lowestVersion: lowest.text }),
      sockets: view.sockets.map((socket) =>
        shown(
          socket,
          ledger.sockets?.find(({ serial }) => serial === socket.serial),
        ),
      ),
    },
  };
}

function shown({ serial, role, state, model, report, connected, unstable }: SocketView, before: Shown | undefined): Shown {
  const version = report?.version === undefined ? undefined : cleanText(report.version, TEXT_LIMIT);
  return {
    serial,
    role,
    state,
    ...(model === undefined ? {} : { model: cleanText(model, TEXT_LIMIT) }),
    ...(version === undefined || version === "" ? {} : { version }),
    ...(report?.versionSeenAt === undefined || version === undefined ? {} : { versionSeenAt: iso(report.versionSeenAt) }),
    connected,
    ...(unstable ? { unstable } : {}),
    ...(before?.lastAttempt === undefined ? {} : { lastAttempt: before.lastAttempt }),
  };
}
