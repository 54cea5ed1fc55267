// The Secrets that the chart's values name, looked for before anything is made: a pod that misses one waits, and only who looks at it hears.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startControlPlane, type ControlPlane } from "../../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { CHART, describeWithHelm, helm, IMAGE, ROOT, type Said } from "./helm.ts";

const run = promisify(execFile);
const VALUES = "inventory.postgresql.secretName=inventory,gateway.tls.secretName=sockets-tls";
const ADDRESS = "postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full";
const documented = (sentence: string) => expect(readFileSync(join(ROOT, "docs/operations.md"), "utf8")).toContain(sentence);

describeWithControlPlane("[T3] the Secrets that the chart's values name", () => {
  describeWithHelm("with helm", () => {
    let controlPlane: ControlPlane;

    const admin = (): string => controlPlane.kubeconfig("admin");
    const kubectl = async (...args: string[]): Promise<string> =>
      (await run(controlPlane.binaries.kubectl, ["--kubeconfig", admin(), ...args])).stdout;
    /** `more`: further values, and flags. */
    const withValues = (command: string, namespace: string, ...more: string[]) => {
      const flags = more.filter((one) => one.startsWith("--"));
      const values = more.filter((one) => !one.startsWith("--"));
      return helm([command, "rollward", CHART, "-n", namespace, ...IMAGE, "--set", [VALUES, ...values].join(","), ...flags], admin());
    };
    const refusal = async (command: string, namespace: string, ...values: string[]): Promise<string> => {
      const said: Said = await withValues(command, namespace, ...values);
      expect(said.failed, said.stdout).toBe(true);
      return said.stderr;
    };
    /** As a person would paste it into a shell. */
    const paste = (line: string) =>
      run("sh", ["-ec", line], {
        env: { ...process.env, PATH: `${dirname(controlPlane.binaries.kubectl)}:${process.env["PATH"]}`, KUBECONFIG: admin() },
      });
    const write = async (namespace: string, name: string, ...data: string[]): Promise<void> => {
      await kubectl("-n", namespace, "delete", "secret", name, "--ignore-not-found");
      await kubectl("-n", namespace, "create", "secret", "generic", name, ...data.map((entry) => `--from-literal=${entry}`));
    };

    beforeAll(async () => {
      controlPlane = await startControlPlane({});
    });
    afterAll(() => controlPlane?.stop());

    it("helm install without the Secret of PostgreSQL is refused, with the command that makes it, and nothing is made; that command does", async () => {
      const said = await refusal("install", "fleet", "--create-namespace");
      expect(said).toMatch(
        /inventory\.postgresql\.secretName names the Secret inventory, and there is none in namespace fleet; no pod would start\./,
      );
      expect(said).toContain("write checkSecrets=false: the pods wait for it then");
      documented("names the Secret …, and there is none in namespace …; no pod would start");
      expect(await kubectl("get", "namespaces,deployments", "-A", "-o", "name")).not.toMatch(/fleet|rollward/);
      const command = /Create it: (.*)\. Where something/.exec(said)?.[1] ?? expect.fail(said);
      expect(command).toBe(
        `kubectl create namespace fleet && kubectl -n fleet create secret generic inventory --from-literal='url=${ADDRESS}'`,
      );
      await paste(command);
      const next = await refusal("install", "fleet");
      expect(next).toMatch(
        /gateway\.tls\.secretName names the Secret sockets-tls, .* kubectl -n fleet create secret tls sockets-tls --cert=FILE/,
      );
    });

    it.for([
      [
        "the key is another one",
        ["uri=postgresql://a@b/c"],
        /the Secret inventory in namespace fleet, which inventory\.postgresql\.secretName names, has no key url \(it has uri\)/,
      ],
      [
        "it holds nothing",
        [],
        /has no key url \(it has none\); no pod would start\. Write it again: kubectl -n fleet delete secret inventory && kubectl/,
      ],
      [
        "SQLite is named in it",
        ["url=sqlite:/hunter2.db"],
        /the key url of the Secret inventory in namespace fleet holds no address of PostgreSQL \(what it holds is not shown\): write postgresql:\/\/USER/,
      ],
    ] as const)("refused where %s, and what it holds is not shown", async ([, data, sentence]) => {
      await write("fleet", "inventory", ...data);
      const said = await refusal("install", "fleet");
      expect(said).toMatch(sentence);
      expect(said).not.toContain("hunter2");
    });

    it("every other Secret that is named is asked for too, each by its command", async () => {
      await write("fleet", "inventory", "url=postgresql://a@b/c");
      const authority = "inventory.postgresql.caSecretName=database-ca";
      expect(await refusal("install", "fleet", authority)).toMatch(/create secret generic database-ca --from-file=ca\.crt=FILE/);
      await write("fleet", "sockets-tls", "tls.crt=one");
      expect(await refusal("install", "fleet")).toMatch(/gateway\.tls\.secretName names, has no key tls\.key \(it has tls\.crt\)/);
      await write("fleet", "sockets-tls", "tls.crt=one", "tls.key=two");
      const authorities = "gateway.tls.clientAuthoritiesSecretName=accounts";
      expect(await refusal("install", "fleet", authorities)).toMatch(/create secret generic accounts --from-file=ACCOUNT\.pem=FILE/);
      const notices = ["notices.hosts={a.example}", "notices.signing.secretName=notice-key"];
      expect(await refusal("install", "fleet", ...notices)).toMatch(/create secret generic notice-key --from-file=key=FILE/);
      const said = await withValues("install", "fleet", "--dry-run=server");
      expect(said.failed, said.stderr).toBe(false);
    });

    it("a key of notices under 32 characters is refused, and not shown; the command of the sentence makes one that does", async () => {
      const notices = ["notices.hosts={a.example}", "notices.signing.secretName=notice-key"];
      await write("fleet", "notice-key", `key= ${"hunter2".padEnd(31, "x")}\n`);
      const said = await refusal("install", "fleet", ...notices);
      expect(said).toMatch(
        /the key key of the Secret notice-key in namespace fleet, which notices\.signing names, holds 31 characters, and the operator starts with at least 32/,
      );
      expect(said).not.toContain("hunter2");
      const command = /Write it again: (.*)$/m.exec(said)?.[1] ?? expect.fail(said);
      await paste(command);
      const installed = await withValues("install", "fleet", ...notices, "--dry-run=server");
      expect(installed.failed, installed.stderr).toBe(false);
    });

    it("rendered without a cluster, or on the client alone, none of them is missed", async () => {
      for (const args of [["template"], ["install", "--dry-run=client"]] as const) {
        const [command = "", ...rest] = args;
        const said = await withValues(command, "elsewhere", ...rest);
        expect(said.failed, said.stderr).toBe(false);
        const alone = await helm([command, "rollward", CHART, "-n", "elsewhere", ...IMAGE, "--set", VALUES, ...rest]);
        expect(alone.failed, alone.stderr).toBe(false);
      }
    });

    it("checkSecrets=false installs without them, and the notes say by which word of kubectl it is seen; with it, an upgrade is refused", async () => {
      await kubectl("-n", "fleet", "delete", "secret", "inventory");
      const said = await withValues("install", "fleet", "checkSecrets=false");
      expect(said.failed, said.stderr).toBe(false);
      expect(said.stdout).toMatch(
        /Nobody looked for the Secret inventory\. Until it is there, with the key url, the pods stay in CreateContainerConfigError:/,
      );
      expect(said.stdout).toContain(`kubectl -n fleet create secret generic inventory --from-literal='url=${ADDRESS}'`);
      expect(await refusal("upgrade", "fleet", "checkSecrets=true")).toMatch(/Create it: kubectl -n fleet create secret generic inventory/);
      await write("fleet", "inventory", "url=postgresql://a@b/c");
      const upgraded = await withValues("upgrade", "fleet", "checkSecrets=true");
      expect(upgraded.failed, upgraded.stderr).toBe(false);
      expect(upgraded.stdout).not.toContain("Nobody looked for");
    });
  });
});
