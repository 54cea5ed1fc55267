/**
 * Files and functions that are longer than the rule, with the length they had when they were entered. A length may only shrink, and
 * an entry that is not needed any more fails the test: take it out.
 */
export const LONGEST_FILE = 400;
export const LONGEST_FUNCTION = 70;

/** Path below src/ → lines. */
export const LONG_FILES: Readonly<Record<string, number>> = {};

/** Path below src/ and name of the function → lines. */
export const LONG_FUNCTIONS: Readonly<Record<string, number>> = {};
