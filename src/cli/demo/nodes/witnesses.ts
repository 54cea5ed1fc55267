import { DATA_PLANE_NAMESPACE } from "../../../simulation/world.ts";
import type { Finding } from "../claims.ts";
import { imageOf, REAL_NODES, REAL_POP } from "./cast.ts";
import { handsOf, operatorCalls, pulled, runningIn } from "./evidence.ts";
import type { RealPlay } from "./play.ts";
import { readImage } from "../../../simulation/nodes/behaviour.ts";

const NAMES: readonly string[] = REAL_NODES.map(({ name }) => name);
const REPOSITORY = readImage(imageOf("any")).repository;

/** Judges the whole act by those who know nothing of the operator, or only what it asked of them. */
export async function hearWitnesses(play: RealPlay): Promise<void> {
  const { fixed, cannotBePulled, crashes } = play.versions;
  await play.claim(`each kubelet, asked itself, runs ${fixed} and nothing else of ours, by the digest that the registry serves`, () =>
    asKubeletsSay(play, fixed),
  );
  for (const bad of [cannotBePulled, crashes])
    await play.claim(`by the logs of the four containerds one alone was ever told to pull ${bad}`, () => pulledByOne(play, bad));
  await play.claim("by the API server's audit log each node was taken in hand, never two at once, and all were given back", () =>
    oneAtATime(play),
  );
  await play.claim("the operator acted as its own user, with the shipped rights, and was refused nothing", () => actedWithItsRights(play));
  await play.claim("who asked every node five times a second never found two out of service before the power was lost", () =>
    neverTwoOut(play),
  );
}

async function asKubeletsSay({ witnesses }: RealPlay, version: string): Promise<Finding> {
  const digest = witnesses.digest(version);
  const said = await Promise.all(
    NAMES.map(async (name) => {
      const images = runningIn(await witnesses.askKubelet(name, "/pods"), DATA_PLANE_NAMESPACE);
      return { name, images, right: images.length === 1 && images[0]?.tag === version && images[0].digest === digest };
    }),
  );
  const found = said.map(
    ({ name, images }) => `${name} ${images.map(({ tag, digest: one }) => `${tag} ${one.slice(0, 15)}`).join("+") || "nothing"}`,
  );
  return { holds: digest !== undefined && said.every(({ right }) => right), found: found.join(", ") };
}

function pulledByOne({ witnesses }: RealPlay, version: string): Finding {
  const asked = NAMES.filter((name) => pulled(witnesses.runtimeLog(name), REPOSITORY).includes(version));
  return { holds: asked.length === 1, found: asked.join(", ") || "nobody was" };
}

function oneAtATime({ witnesses }: RealPlay): Finding {
  const { taken, most, held } = handsOf(witnesses.audit());
  const times = NAMES.map((name) => `${name} ${taken.get(name) ?? 0}×`);
  const found = `${times.join(", ")}; ${most} at once; ${held.join(", ") || "none"} still in hand`;
  return { holds: most === 1 && held.length === 0 && NAMES.every((name) => taken.has(name)), found };
}

function actedWithItsRights({ witnesses }: RealPlay): Finding {
  const { count, users, forbidden } = operatorCalls(witnesses.audit());
  const found = `${count} calls by ${users.join(", ") || "nobody"}, ${forbidden.join(", ") || "none"} forbidden`;
  return { holds: users.join() === "operator" && forbidden.length === 0, found };
}

function neverTwoOut({ watched: summary }: RealPlay): Finding {
  const { count = 0, nodes = [] } = summary?.maximumOut[REAL_POP.name] ?? {};
  const asked = summary?.asked ?? 0;
  return {
    holds: summary?.served.join() === NAMES.join() && count === 1,
    found: `${asked} questions, at most ${count} out (${nodes.join(", ") || "nobody"}), ${summary?.served.length ?? 0} nodes seen to serve`,
  };
}
