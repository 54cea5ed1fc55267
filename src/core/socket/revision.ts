import type { SocketRolloutSpec } from "../../api/socket-rollout.ts";
import { artifactRevision } from "../rollout/artifact-revision.ts";

/** What a verdict is of (rule G8): the version and the digest of all that is rolled out with it, which for a Socket is its artifact. */
export const revisionOf = (spec: Pick<SocketRolloutSpec, "version" | "artifact">): string => artifactRevision(spec);
