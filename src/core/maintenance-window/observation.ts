import type { MaintenanceWindow } from "../../api/maintenance-window.ts";

/** All that the decision about one MaintenanceWindow looks at. */
export interface MaintenanceWindowObservation {
  readonly window: MaintenanceWindow;
  /** Names of the objects that hold WindowTooShort because of this window, in any order (rule W4). */
  readonly tooShortFor?: readonly string[];
}
