// npm run control-plane:up: a control plane to play with, until Ctrl-C.
import { once } from "node:events";
import { startControlPlane } from "./run.ts";
import { insteadOfStarting } from "./up-arguments.ts";

const instead = insteadOfStarting(process.argv.slice(2));
if (instead === undefined) await play();
else {
  (instead.code === 0 ? process.stdout : process.stderr).write(instead.text);
  process.exitCode = instead.code;
}

async function play(): Promise<void> {
  const controlPlane = await startControlPlane();
  const kubectl = `${controlPlane.binaries.kubectl} --kubeconfig ${controlPlane.kubeconfig("admin")}`;
  process.stdout.write(
    `The control plane answers at ${controlPlane.url}. Look for yourself:\n\n  ${kubectl} get namespaces\n\n` +
      `Other users: ${Object.keys(controlPlane.tokens).join(", ")}. Logs and the audit log are in ${controlPlane.folder}.\n` +
      "Ctrl-C ends it and removes everything.\n",
  );
  // Signals alone do not keep a process alive.
  const alive = setInterval(() => {}, 60_000);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), once(process, "SIGHUP")]);
  clearInterval(alive);
  await controlPlane.stop();
}
