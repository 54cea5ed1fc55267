/** What was given to the program cannot be used; the message says what it was, what was found and what to give instead. */
export class UnusableInput extends Error {
  override readonly name = "UnusableInput";
}
