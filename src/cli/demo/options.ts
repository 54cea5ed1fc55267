export const ACT_NUMBERS = ["1", "2", "3", "4"] as const;
export type ActNumber = (typeof ACT_NUMBERS)[number];

/** What the command line of the demo says. */
export interface DemoOptions {
  readonly act?: readonly ActNumber[];
  readonly embedded?: boolean;
  readonly real?: boolean;
  readonly realNodes?: boolean;
  readonly fast?: boolean;
  readonly keep?: boolean;
  readonly kubeconfig?: string;
  /** As it was written: `metricsPort` reads it. */
  readonly metrics?: string;
}
