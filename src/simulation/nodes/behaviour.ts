/**
 * How a version of the simulated data plane behaves, read from the end of its image tag: `registry.example/pop:2.0.0-slow` is version
 * 2.0.0 that takes three seconds to be ready. One table for tests, demo and docs. A tag that ends in none of these names is good.
 */
export interface Behaviour {
  /** The name in the tag; `good` when there is none. */
  readonly name: string;
  readonly sentence: string;
  /** `Missing`: the registry does not have it (ErrImagePull, then ImagePullBackOff). */
  readonly image: "There" | "Missing";
  /** `Refused`: the container cannot be created (CreateContainerError). `Crashes`: it exits with 1 soon after each start. */
  readonly start: "Runs" | "Refused" | "Crashes";
  /** Elapsed milliseconds from start to ready; Infinity: never. */
  readonly readyAfter: number;
  /** Calendar milliseconds from start until `/healthz` answers 500: 0 at once, Infinity never. */
  readonly unhealthyAfter: number;
  /** False: answers `ok` to a session, counts it nowhere, and drops it a second later. */
  readonly keepsSessions: boolean;
  /** False: answers 200 to a drain and goes on serving. */
  readonly drains: boolean;
  /** False: has no `/undrain`; only the lease ends a drain. */
  readonly cancels: boolean;
  /** What the sessions of this node are told when it hands them back. */
  readonly givesAway: Handover;
  /** What sessions that another node handed back are told when they come to this one. */
  readonly takesOver: Handover;
  /** Growth of `pop_errors_total` a second. */
  readonly errorsPerSecond: number;
}

/** How sessions change node. */
export interface Handover {
  /** Elapsed milliseconds from loss until any node takes them again. */
  readonly after: number;
  /** A tenth of them go to another PoP. */
  readonly tenthElsewhere: boolean;
}

const AT_ONCE: Handover = { after: 0, tenthElsewhere: false };

const GOOD: Behaviour = {
  name: "good",
  sentence: "Ready after a moment, healthy, keeps its sessions, hands them back within about a second.",
  image: "There",
  start: "Runs",
  readyAfter: 100,
  unhealthyAfter: Infinity,
  keepsSessions: true,
  drains: true,
  cancels: true,
  givesAway: AT_ONCE,
  takesOver: AT_ONCE,
  errorsPerSecond: 0,
};

const bad = (name: string, sentence: string, differs: Partial<Behaviour>): [string, Behaviour] => [
  name,
  { ...GOOD, ...differs, name, sentence },
];

/** All behaviours by name. */
export const BEHAVIOURS: ReadonlyMap<string, Behaviour> = new Map<string, Behaviour>([
  ["good", GOOD],
  bad("slow", "Ready after 3 s.", { readyAfter: 3_000 }),
  bad("never-ready", "Runs and never becomes Ready.", { readyAfter: Infinity }),
  bad("bad-health", "Ready, and /healthz answers 500 from the start.", { unhealthyAfter: 0 }),
  bad("bad-after-1h", "Good for one hour of calendar time after its start, then /healthz answers 500.", { unhealthyAfter: 3_600_000 }),
  bad("crash-loop", "Exits soon after each start: CrashLoopBackOff with a growing restart count.", { start: "Crashes" }),
  bad("no-pull", "The image cannot be pulled: ErrImagePull, ImagePullBackOff.", { image: "Missing" }),
  bad("no-start", "The container cannot be created: CreateContainerError.", { start: "Refused" }),
  bad("loses-sessions", "Healthy, but counts no session and drops each a second after it came.", { keepsSessions: false }),
  bad("hands-back-9s", "Its sessions are taken by another node 9 s after it dropped them.", {
    givesAway: { after: 9_000, tenthElsewhere: false },
  }),
  bad("hands-back-11s", "Its sessions are taken by another node 11 s after it dropped them.", {
    givesAway: { after: 11_000, tenthElsewhere: false },
  }),
  bad("elsewhere", "A tenth of the sessions that it hands back go to another PoP.", { givesAway: { after: 0, tenthElsewhere: true } }),
  bad("takes-back-9s", "Takes sessions of other nodes only 9 s after these dropped them.", {
    takesOver: { after: 9_000, tenthElsewhere: false },
  }),
  bad("takes-back-11s", "Takes sessions of other nodes only 11 s after these dropped them.", {
    takesOver: { after: 11_000, tenthElsewhere: false },
  }),
  bad("turns-away", "Sends a tenth of the sessions that come from other nodes to another PoP.", {
    takesOver: { after: 0, tenthElsewhere: true },
  }),
  bad("errors", "pop_errors_total grows by 10 a second; healthy otherwise.", { errorsPerSecond: 10 }),
  bad("ignores-drain", "Answers 200 to a drain, keeps its sessions and takes new ones.", { drains: false }),
  bad("no-cancel", "Has no /undrain; a drain ends only with its lease.", { cancels: false }),
]);

const LONGEST_FIRST = [...BEHAVIOURS.values()].filter(({ name }) => name !== "good").sort((a, b) => b.name.length - a.name.length);

/** What an image reference says: repository, tag (empty when it has none), version (the tag without the behaviour's name) and behaviour. */
export interface ImageReference {
  readonly repository: string;
  readonly tag: string;
  readonly version: string;
  readonly behaviour: Behaviour;
}

/** Reads `registry.example:5000/pop:2.0.0-slow@sha256:…`; never fails, because a kubelet meets every text there is. */
export function readImage(image: string): ImageReference {
  const [reference = ""] = image.split("@");
  const colon = reference.lastIndexOf(":");
  const tagged = colon > reference.lastIndexOf("/");
  const repository = tagged ? reference.slice(0, colon) : reference;
  const tag = tagged ? reference.slice(colon + 1) : "";
  const behaviour = LONGEST_FIRST.find(({ name }) => tag.endsWith(`-${name}`)) ?? GOOD;
  const version = behaviour === GOOD ? tag : tag.slice(0, -behaviour.name.length - 1);
  return { repository, tag, version, behaviour };
}

/** How a content version behaves (rule P15), by the end of its name, like an image tag. */
export interface ContentBehaviour {
  readonly name: "good" | "bad-health" | "errors" | "needs-restart";
  readonly sentence: string;
}

export const CONTENT_BEHAVIOURS: readonly ContentBehaviour[] = [
  { name: "bad-health", sentence: "Loads; then /healthz?content answers 500 and pop_content_healthy is 0." },
  { name: "errors", sentence: "Loads; then pop_content_errors_total grows by 10 a second." },
  { name: "needs-restart", sentence: "Refused with 409 NotDisruptionFree; the content in use stays." },
];
const GOOD_CONTENT: ContentBehaviour = { name: "good", sentence: "Loads in place and is healthy." };

export const contentBehaviour = (version: string): ContentBehaviour =>
  CONTENT_BEHAVIOURS.find(({ name }) => version.endsWith(`-${name}`)) ?? GOOD_CONTENT;
