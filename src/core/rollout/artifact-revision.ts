/** Longer versions are cut, so that the revision fits into a label. */
const VERSION_LENGTH = 47;
const DIGEST_LENGTH = 16;

/** What a verdict on a device is of (rule G8): the version and the digest of all that is rolled out with it, which is its artifact. */
export const artifactRevision = ({
  version,
  artifact,
}: {
  readonly version: string;
  readonly artifact: { readonly sha256: string };
}): string => `${version.slice(0, VERSION_LENGTH)}-${artifact.sha256.slice(0, DIGEST_LENGTH)}`;

/** The version that a revision of `artifactRevision` is of, and a version as it would stand there. */
export const versionOfRevision = (revision: string): string => revision.slice(0, Math.max(0, revision.length - DIGEST_LENGTH - 1));
export const versionInRevision = (version: string): string => version.slice(0, VERSION_LENGTH);
