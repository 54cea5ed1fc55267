/** What a verdict on a device is of (rule G8): the version and the digest of all that is rolled out with it, which is its artifact. */
export const artifactRevision = ({
  version,
  artifact,
}: {
  readonly version: string;
  readonly artifact: { readonly sha256: string };
}): string => `${version.slice(0, 47)}-${artifact.sha256.slice(0, 16)}`;
