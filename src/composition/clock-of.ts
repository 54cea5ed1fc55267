import { AcceleratedClock } from "../control/clock/accelerated-clock.ts";
import { RealClock } from "../control/clock/real-clock.ts";
import { UnusableInput } from "./unusable-input.ts";

/**
 * The clock that the settings name: the machine's, or one whose pace stands in a file.
 *
 * @throws UnusableInput when the file is missing or holds no pace
 */
export function clockOf(file: string | undefined): RealClock | AcceleratedClock {
  if (file === undefined) return new RealClock();
  try {
    return AcceleratedClock.open(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnusableInput(
      `--clock-file ${file} cannot be used (${why}); name a file that holds a pace, for example ` +
        '{"calendar": 1764000000000, "real": 1764000000000, "rate": 60}, or leave it out to run by the machine\'s clock',
      { cause: error },
    );
  }
}
