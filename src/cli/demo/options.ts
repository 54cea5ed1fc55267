/** What the command line of the demo says. */
export interface DemoOptions {
  readonly act?: "1" | "2";
  readonly embedded?: boolean;
  readonly real?: boolean;
  readonly fast?: boolean;
  readonly keep?: boolean;
  readonly kubeconfig?: string;
}
