/** What the guard is told. */
export type ToGuard =
  | { readonly type: "start"; readonly name: string; readonly command: string; readonly args: readonly string[] }
  | { readonly type: "signal"; readonly name: string; readonly signal: NodeJS.Signals }
  /** Cgroups that go away with the servers in them. */
  | { readonly type: "own"; readonly cgroups: readonly string[] }
  | { readonly type: "stop" };

/** What the guard tells. `how` is an exit code, a signal or the reason why a program did not start. */
export type FromGuard =
  | { readonly type: "ready" }
  | { readonly type: "started"; readonly name: string; readonly pid: number }
  | { readonly type: "exited"; readonly name: string; readonly how: string };
