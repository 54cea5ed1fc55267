import { KubeConfig } from "@kubernetes/client-node";
import { UnusableInput } from "./unusable-input.ts";

/** The kubeconfig that a command means: the path given, else what KUBECONFIG names, else ~/.kube/config, else the pod's service account. */
export function loadKubeconfig(path: string | undefined): KubeConfig {
  const kubeconfig = new KubeConfig();
  if (path === undefined) readDefault(kubeconfig);
  else read(`the kubeconfig ${path}`, () => kubeconfig.loadFromFile(path));
  if (!kubeconfig.getCurrentCluster()) {
    throw new UnusableInput(
      `the kubeconfig ${path ?? "of the environment"} has no cluster in its current context; give --kubeconfig, or set current-context`,
    );
  }
  return kubeconfig;
}

/** What the client falls back to when it finds nothing at all: nobody means that. */
const NOWHERE = "http://localhost:8080";

function readDefault(kubeconfig: KubeConfig): void {
  const named = process.env["KUBECONFIG"];
  const what = named ? `the kubeconfig ${named} (KUBECONFIG)` : "the kubeconfig ~/.kube/config";
  read(what, () => kubeconfig.loadFromDefault());
  const [cluster, ...others] = kubeconfig.getClusters();
  if (!named && cluster?.name === "cluster" && cluster.server === NOWHERE && others.length === 0)
    throw new UnusableInput(
      "there is no kubeconfig: KUBECONFIG names none, and ~/.kube/config is not there; give the path of one with --kubeconfig",
    );
}

function read(what: string, load: () => void): void {
  try {
    load();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnusableInput(`${what} cannot be read (${why}); give the path of one with --kubeconfig, or set KUBECONFIG`, { cause: error });
  }
}
