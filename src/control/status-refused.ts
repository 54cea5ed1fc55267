import { ApiError } from "./ports.ts";

/**
 * A status that the schema refuses (422) is a fault of ours and no conflict: the same write would be tried again at once, for ever and
 * unheard. As an error it is told, and backs off.
 */
export async function unlessRefused<T>(what: string, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ApiError && error.code === 422)
      throw new Error(`the API server refuses the status of ${what}: ${error.message}`, { cause: error });
    throw error;
  }
}
