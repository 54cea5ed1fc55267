import { KubeConfig } from "@kubernetes/client-node";

/** The kubeconfig that a command means: the path given, else what KUBECONFIG names, else ~/.kube/config, else the pod's service account. */
export function loadKubeconfig(path: string | undefined): KubeConfig {
  const kubeconfig = new KubeConfig();
  if (path === undefined) kubeconfig.loadFromDefault();
  else readFrom(kubeconfig, path);
  if (!kubeconfig.getCurrentCluster()) {
    throw new Error(
      `the kubeconfig ${path ?? "of the environment"} has no cluster in its current context; give --kubeconfig, or set current-context`,
    );
  }
  return kubeconfig;
}

function readFrom(kubeconfig: KubeConfig, path: string): void {
  try {
    kubeconfig.loadFromFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the kubeconfig ${path} cannot be read (${why}); give the path of one with --kubeconfig, or set KUBECONFIG`, {
      cause: error,
    });
  }
}
