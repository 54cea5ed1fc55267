// Runs once after `helm uninstall`: with the operator gone nobody would take its finalizer off a PoPCluster, and whoever deleted one
// would wait for ever. The objects stay, and so do the nodes as they are. Plain Node, because the image has nothing else.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const FINALIZER = "rollward.dev/claims";
const IN_HAND = ["Claimed", "Updating", "Soaking", "Failed"];
const LOOK_EVERY_MS = 1_000;
const GONE_WITHIN_MS = 120_000;

const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, NAMESPACE: namespace, TOKEN_FILE: tokenFile } = process.env;
const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;

/** One call; 404 is undefined. Throws with what the server said. */
async function call(method, path, body) {
  const headers = { authorization: `Bearer ${readFileSync(tokenFile, "utf8").trim()}`, "content-type": "application/json-patch+json" };
  const answer = await fetch(server + path, {
    method,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(10_000),
  });
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

/** Waits until no operator renews its lease: one that still ends its work would write the finalizer again. */
async function untilOperatorIsGone() {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/rollward`;
  let renewed;
  let unchangedMs = 0;
  for (let waited = 0; waited < GONE_WITHIN_MS; waited += LOOK_EVERY_MS) {
    const { spec: { holderIdentity, renewTime, leaseDurationSeconds = 15 } = {} } = (await call("GET", path)) ?? {};
    if (!holderIdentity) return;
    // By how long it did not change here, because the clock of the one who wrote it may be another.
    unchangedMs = renewTime === renewed ? unchangedMs + LOOK_EVERY_MS : 0;
    renewed = renewTime;
    if (unchangedMs > leaseDurationSeconds * 1_000) return;
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error(
    `an operator still holds the lease rollward in namespace ${namespace}: end it, then run this again, or take the finalizers off by hand`,
  );
}

async function letGo({ metadata, status }) {
  const path = `/apis/rollward.dev/v1alpha1/namespaces/${namespace}/popclusters/${metadata.name}`;
  const finalizers = metadata.finalizers.filter((name) => name !== FINALIZER);
  await call("PATCH", path, [
    { op: "test", path: "/metadata/resourceVersion", value: metadata.resourceVersion },
    { op: "replace", path: "/metadata/finalizers", value: finalizers },
  ]);
  const nodes = (status?.nodes ?? []).filter(({ step }) => IN_HAND.includes(step)).map(({ name }) => name);
  const left = nodes.length === 0 ? "no node of it is in hand" : `in hand, and to be freed if no operator comes back: ${nodes.join(", ")}`;
  console.log(`PoPCluster ${metadata.name}: the finalizer is off, ${left}`);
}

await untilOperatorIsGone();
const found = (await call("GET", `/apis/rollward.dev/v1alpha1/namespaces/${namespace}/popclusters`))?.items ?? [];
for (const pop of found) if (pop.metadata.finalizers?.includes(FINALIZER)) await letGo(pop);
