/** What a demo is interrupted with whose output nobody reads any more (`rollward demo | head`). */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";

  constructor() {
    super("the reader of the output closed it");
  }
}

/**
 * A reader that has seen enough (`rollward crds | head`) closes the pipe: who only prints has nothing left to do, and that is no failure
 * of his. Throws what is no closed pipe.
 */
export function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(process.exitCode ?? 0);
}

/** For a command that has started something and must end it first: `gone` is called in place of `endQuietly`, once. */
export function endAfter(gone: () => void): void {
  const tell = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "EPIPE") throw error;
    gone();
  };
  process.stdout.off("error", endQuietly).on("error", tell);
  // With `2>&1 | head` the sentence at the end has no reader either.
  process.stderr.on("error", tell);
}
