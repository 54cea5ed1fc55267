import type { SocketRolloutSpec } from "../../api/socket-rollout.ts";

/** What a verdict is of (rule G8): the version and the digest of all that is rolled out with it, which for a Socket is its artifact. */
export const revisionOf = ({ version, artifact }: Pick<SocketRolloutSpec, "version" | "artifact">): string =>
  `${version.slice(0, 47)}-${artifact.sha256.slice(0, 16)}`;
