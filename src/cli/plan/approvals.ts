/** What stands for the digest of a wave whose rollout no API server has given a UID yet. */
export const DIGEST_LATER = "known once it is created";
