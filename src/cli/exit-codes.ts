/** What the exit code of `rollward` means; scripts branch on these, so they do not change. */
export const EXIT = {
  /** Done, or nothing had to be done. */
  ok: 0,
  /** Something failed that another try may mend: no answer from the API server, a conflict, a refusal of rights. */
  failed: 1,
  /** The command line or a file is at fault; nothing was asked of anybody. */
  badInput: 2,
  /** What was to be shown could not be had here (a demo without a control plane). */
  unavailable: 3,
  /** The object does not exist, or there is nothing about it to act on; nothing was written. */
  nothingToActOn: 4,
  /** The plan was computed, and it does not fit or is in conflict with something: no failure of the command, and nothing to go ahead with. */
  doesNotFit: 5,
  /** `plan --diff`: it fits, and it is another plan than the one that runs. */
  differs: 6,
  /** `plan --until`: the look ended before the rollouts did. What it saw is no conflict, and whether all fits is not known. */
  notKnown: 7,
  /** What shells report of a program that Ctrl-C ended; what the demo had started is gone. */
  interrupted: 130,
  /** What shells report of a program whose reader closed the pipe: the demo had not shown everything, and what it had started is gone. */
  readerGone: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For `--help`, so that the meaning stands where it is looked for. */
export const EXIT_CODES_HELP = `
Exit codes:
  ${EXIT.ok}  done, or nothing had to be done
  ${EXIT.failed}  a call failed; another try may succeed
  ${EXIT.badInput}  the command line or a file is at fault
  ${EXIT.unavailable}  what was to be shown cannot be had here
  ${EXIT.nothingToActOn}  the object does not exist, or there is nothing to act on
  ${EXIT.doesNotFit}  the plan does not fit its windows, or has conflicts
  ${EXIT.differs}  plan --diff: it fits, and differs from the plan that runs
  ${EXIT.notKnown}  plan --until: the look ended before the plan did, so whether it fits is not known
  ${EXIT.interrupted}  demo: it was interrupted, and has removed what it started
  ${EXIT.readerGone}  demo: nobody read its output to the end, and it has removed what it started; what only prints ends with 0 then
`;
