import { POP_LABEL } from "../../../api/names.ts";
import { WHOLE_NODE } from "../../../simulation/nodes/kubelet.ts";
import { WHOLE_POD } from "../../../simulation/nodes/pod-worker.ts";
import { DATA_PLANE_NAMESPACE } from "../../../simulation/world.ts";
import { CONTENT, contentDraft, DAYS, FLEET_POPS, NODE_COUNT, nameOf, WATCHED } from "./cast.ts";
import type { FleetPlay } from "./play.ts";

/** Users in each of the watched PoPs. */
const SESSIONS = 30;

/** Content on a Wednesday: no window, no notice, and nobody is disrupted (rule P15). */
export async function contentOnWednesday(play: FleetPlay): Promise<void> {
  const name = nameOf(CONTENT);
  await play.passTo(DAYS.content);
  for (const pop of WATCHED) play.stage.holdSessions(pop, SESSIONS, () => {});
  await play.until("the users to be there", () => WATCHED.every((pop) => play.stage.load(pop)!.held === SESSIONS));
  const before = await stillLife(play);
  const broken = () => WATCHED.reduce((sum, pop) => sum + play.stage.load(pop)!.breaks.length, 0);
  const brokenBefore = broken();
  play.disruptions.begin();
  await play.ask(contentDraft(play.stage.tempo));
  await play.passTo(Date.parse(DAYS.content) + 12 * 3_600_000, () => play.statusOf(name).outcome !== undefined);
  await play.claim(`${CONTENT} went through all ${FLEET_POPS.length} PoPs, canary first, within the day`, () => {
    const { outcome, numbers, waves = [] } = play.statusOf(name);
    return {
      holds: outcome === "Completed" && numbers?.passed === FLEET_POPS.length,
      found: `${outcome ?? "not over"}: ${numbers?.passed ?? 0} PoPs; ${waves.map((wave) => `${wave.name} ${wave.state}`).join(", ")}`,
    };
  });
  await play.claim(`every data plane says itself that it has loaded ${CONTENT}`, async () => {
    const answers = await play.stage.perform(
      Promise.all(
        play.stage.nodes.directory().map(async ({ name: node, address }) => [node, await play.stage.ask(address, "/content")] as const),
      ),
    );
    const others = answers.filter(([, answer]) => answer === undefined || (JSON.parse(answer) as { version?: string }).version !== CONTENT);
    return {
      holds: answers.length === NODE_COUNT && others.length === 0,
      found:
        others.length === 0 ? `${answers.length} of ${NODE_COUNT} nodes` : others.map(([node, answer]) => `${node} ${answer}`).join(", "),
    };
  });
  await play.claim("it changed no pod UID, restart count, label, taint, cordon or claim of any node, and took nobody out", async () => {
    const after = await stillLife(play);
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
    const out = play.disruptions.all.map(({ node }) => node);
    return {
      holds: before.size > 0 && changed.length === 0 && out.length === 0,
      found:
        changed.length + out.length === 0
          ? `${after.size} nodes and pods are as they were`
          : `changed: ${changed.join(", ")}; out: ${out.join(", ")}`,
    };
  });
  await play.claim("no user noticed", () => ({
    holds: broken() === brokenBefore && WATCHED.every((pop) => play.stage.load(pop)!.held === SESSIONS),
    found: `${WATCHED.length * SESSIONS} sessions in ${WATCHED.join(", ")}: ${broken() - brokenBefore} of them broke`,
  }));
}

/** All of nodes and pods that a disruption would change, by name. */
async function stillLife(play: FleetPlay): Promise<ReadonlyMap<string, string>> {
  const { cluster } = play.stage;
  const nodes = await play.stage.perform(cluster.list(WHOLE_NODE, { labelSelector: POP_LABEL }));
  const pods = await play.stage.perform(cluster.list(WHOLE_POD, { namespace: DATA_PLANE_NAMESPACE }));
  return new Map([
    ...nodes.map(({ metadata: { name, uid, labels, annotations }, spec }): [string, string] => {
      const claims = Object.entries(annotations ?? {}).filter(([key]) => key.startsWith("rollward.dev/"));
      return [`node ${name}`, JSON.stringify([uid, labels, claims, spec?.taints ?? [], spec?.unschedulable ?? false])];
    }),
    ...pods.map(({ metadata: { name, uid }, status }): [string, string] => {
      const containers = (status?.containerStatuses ?? []).map((one) => [one.containerID, one.restartCount]);
      return [`pod ${name}`, JSON.stringify([uid, containers])];
    }),
  ]);
}
