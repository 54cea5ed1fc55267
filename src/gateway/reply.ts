/** What a poll was answered with, for counting. */
export const CHECKIN_ANSWERS = ["Nothing", "ConfigData", "Deployment", "Cancel", "Unauthorized", "TooMany", "Unavailable"] as const;
export type CheckinAnswer = (typeof CHECKIN_ANSWERS)[number];

/** A part of a file, both ends inclusive. */
export interface FilePart {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** The answer to a request, before a byte of it is written. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written as JSON. */
  readonly body?: unknown;
  /** Written as text. */
  readonly text?: string;
  readonly file?: FilePart;
  readonly checkin?: CheckinAnswer;
  /**
   * Asked in the same turn in which the answer is written: a process may have been stopped for an hour since it was made. False: the
   * answer is `otherwise`, and nothing was shown.
   */
  readonly stillTrue?: () => boolean;
  /** Default: `NOTHING_HERE`. */
  readonly otherwise?: Reply;
}

export const DONE: Reply = { status: 200 };
export const NOTHING_HERE: Reply = { status: 404, text: "there is nothing for this device here\n" };

/** One answer for every reason, so that nobody learns which serials there are, or whose (rule I15). */
export const UNAUTHORIZED: Reply = {
  status: 401,
  headers: { "www-authenticate": 'TargetToken realm="rollward"' },
  text: "write Authorization: TargetToken with the token that this device was enrolled with\n",
  checkin: "Unauthorized",
};

export const badRequest = (problem: string): Reply => ({ status: 400, text: `${problem}\n` });

const seconds = (milliseconds: number): string => String(Math.max(1, Math.ceil(milliseconds / 1_000)));

export const tooMany = (waitMilliseconds: number): Reply => ({
  status: 429,
  headers: { "retry-after": seconds(waitMilliseconds) },
  text: "too many requests; come again after Retry-After\n",
  checkin: "TooMany",
});

export const unavailable = (waitMilliseconds: number): Reply => ({
  status: 503,
  headers: { "retry-after": seconds(waitMilliseconds) },
  text: "the inventory does not answer; nothing is lost, come again after Retry-After\n",
  checkin: "Unavailable",
});
