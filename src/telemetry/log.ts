import pino, { type DestinationStream } from "pino";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
type Fields = Readonly<Record<string, unknown>>;

/** A structured log. Fields are facts with stable names (`pop`, `node`, `rule`, `reason`); the message is one sentence. */
export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  /** `fields.error` is written with its stack. */
  error(message: string, fields?: Fields): void;
  /** The same log with these fields on every line. */
  with(fields: Fields): Logger;
}

/**
 * A log in JSON lines. The destination is synchronous: the last line before a crash is the one that is needed. `now` is the
 * operator's clock, so that the log of an accelerated run tells the same time as its status.
 */
export function createLogger(
  level: LogLevel,
  now: () => number,
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
): Logger {
  const base = pino(
    {
      level,
      base: {},
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
      messageKey: "message",
    },
    destination,
  );
  return wrap(base);
}

function wrap(log: pino.Logger): Logger {
  return {
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
    with: (fields) => wrap(log.child(fields)),
  };
}
