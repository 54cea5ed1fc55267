// A tool that is there, or one that is put into the project's cache: by one process at a time, however many want it at once.
import { progressOn, type Progress } from "./control-plane/progress.ts";
import { withLock } from "./folder-lock.mjs";

export interface Wanted<Tool> {
  /** For people: who waits is told what for. */
  readonly what: string;
  /** Of the cache; its lock stands beside it. */
  readonly directory: string;
  readonly progress?: Progress | undefined;
  /** Installs nothing; asked again under the lock, because another process may have been at it. */
  readonly find: () => Tool | undefined;
  /** Rejects with the tool's own error when it is not to be had. */
  readonly install: (progress: Progress, directory: string) => Promise<Tool>;
}

export async function findOrInstall<Tool>({ what, directory, progress: given, find, install }: Wanted<Tool>): Promise<Tool> {
  const there = find();
  if (there !== undefined) return there;
  const progress = given ?? progressOn();
  const sayWaiting = (owner: { pid: number }): void => progress.say(`Process ${owner.pid} is installing ${what}: waiting for it …`);
  return withLock(`${directory}.lock`, sayWaiting, async () => find() ?? install(progress, directory));
}
