/** Where the gateway writes what a person has to know; one sentence a line. */
export type Log = (level: "debug" | "info" | "warn" | "error", message: string) => void;
