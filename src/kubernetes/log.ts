/** Where the adapters of this folder tell what happened to them; the composition root binds it to the logger. */
export type Log = (level: "debug" | "info" | "warn" | "error", message: string) => void;
