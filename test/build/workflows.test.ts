// The hosted workflows, which nothing here can run: what can be known of them without a host is looked at, and their scripts are parsed.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const ROOT = join(import.meta.dirname, "../..");
const FOLDER = ".github/workflows";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly needs?: string;
  readonly "timeout-minutes"?: number;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly defaults?: { readonly run?: { readonly shell?: string } };
  readonly jobs: Readonly<Record<string, Job>>;
}

const files = readdirSync(join(ROOT, FOLDER));
const textOf = (file: string): string => readFileSync(join(ROOT, FOLDER, file), "utf8");
const workflow = (file: string): Workflow => parse(textOf(file), { strict: true, uniqueKeys: true }) as Workflow;
const stepsOf = (file: string): Step[] => Object.values(workflow(file).jobs).flatMap(({ steps }) => steps);

describe.each(files)("the workflow %s", (file) => {
  it("reads the repository and may do nothing else, unless one of its jobs says what", () => {
    expect(workflow(file).permissions).toEqual({ contents: "read" });
  });

  it("is never triggered by what strangers can send with the repository's own rights", () => {
    expect(Object.keys(workflow(file).on)).not.toEqual(expect.arrayContaining(["pull_request_target"]));
    expect(Object.keys(workflow(file).on)).not.toEqual(expect.arrayContaining(["workflow_run"]));
  });

  it("uses actions by commit, with the version beside it, and leaves no credentials in the checkout", () => {
    const uses = [...textOf(file).matchAll(/uses: (.*)$/gm)].map(([, used]) => used);
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((used) => !/^[a-z-]+\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(used ?? ""))).toEqual([]);
    const checkouts = stepsOf(file).filter(({ uses: used }) => used?.startsWith("actions/checkout@"));
    expect(checkouts.map((step) => step.with?.["persist-credentials"])).toEqual(checkouts.map(() => false));
  });

  it("ends each job by itself", () => {
    for (const [name, job] of Object.entries(workflow(file).jobs)) expect(job["timeout-minutes"], name).toBeGreaterThan(0);
  });

  it("has scripts that bash can read, with no expression written into them: what a stranger names must not become a command", () => {
    for (const { run } of stepsOf(file)) {
      if (run === undefined) continue;
      const { status, stderr } = spawnSync("bash", ["-n"], { input: run, encoding: "utf8" });
      expect([status, stderr]).toEqual([0, ""]);
      // The names of kind's images are the workflow's own.
      expect(run.replaceAll("${{ matrix.image }}", "image")).not.toContain("${{");
    }
  });

  it("runs its scripts by a shell that is named: without one they would have no pipefail, and what fails before a pipe would pass", () => {
    expect(workflow(file).defaults?.run?.shell).toBe("bash");
  });

  it("asks of the tests what a hosted machine has, which is neither root nor cgroups of version 1: no nodes, no image", () => {
    const tests = stepsOf(file).filter(({ run }) => run?.includes(".ci/run"));
    expect(tests).toHaveLength(1);
    expect(tests[0]?.env?.["ROLLWARD_TESTS_NEED"]?.split(",")).toEqual(["browser", "postgres"]);
  });

  it("names only files and folders of the project that there are", () => {
    const scripts = stepsOf(file).flatMap(({ run = "" }) => [run]);
    const named = scripts.flatMap((run) =>
      [...run.matchAll(/(?:^|\s)((?:\.ci|config|charts|tools|bin)\/[\w./-]+)/g)].map(([, path]) => path!),
    );
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("installs no package beside the lock: that is the bootstrap's part, without scripts", () => {
    expect(textOf(file)).not.toMatch(/\bnpm (i|install|ci)\b/);
  });
});

describe("the release", () => {
  const { jobs, on } = workflow("release.yml");

  it("is of a tag alone, after everything is green, and after whoever guards the environment says yes", () => {
    expect(on).toEqual({ push: { tags: ["v[0-9]+.[0-9]+.[0-9]+"] } });
    expect(jobs["publish"]).toMatchObject({ needs: "test", environment: "release" });
    expect(jobs["test"]?.steps.map(({ run }) => run)).toContain(".ci/run");
  });

  it("writes packages and asks for an identity, in the job that signs and in no other", () => {
    expect(jobs["test"]?.permissions).toBeUndefined();
    expect(jobs["publish"]?.permissions).toEqual({ contents: "read", packages: "write", "id-token": "write" });
  });

  it("signs image and chart by digest, never by a tag that may move, and builds on digests alone", () => {
    const signed = [...textOf("release.yml").matchAll(/cosign sign --yes "([^"]*)/g)].map(([, what]) => what);
    expect(signed).toHaveLength(2);
    for (const what of signed) expect(what).toMatch(/^\$REGISTRY\/[a-z/]+@\$\(/);
    expect(textOf("release.yml")).toContain("--sbom=true --provenance=mode=max");
    const script = jobs["publish"]?.steps.find(({ name }) => name?.includes("bases are digests"))?.run ?? "";
    const tried = (env: Readonly<Record<string, string>>) =>
      spawnSync("bash", ["-eo", "pipefail", "-c", script], { cwd: ROOT, encoding: "utf8", env: { PATH: process.env["PATH"], ...env } });
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    const base = `registry.example/node@sha256:${"a".repeat(64)}`;
    const given = { GITHUB_REF_NAME: `v${version}`, REGISTRY: "registry.example/us", BUILD_BASE: base, RUNTIME_BASE: base };
    expect(tried(given)).toMatchObject({ status: 0, stdout: "" });
    expect(tried({ ...given, GITHUB_REF_NAME: "v9.9.9" })).toMatchObject({
      status: 1,
      stdout: `package.json has ${version}, the tag is v9.9.9\n`,
    });
    expect(tried({ ...given, REGISTRY: "" })).toMatchObject({ status: 1 });
    expect(tried({ ...given, RUNTIME_BASE: "node:24" })).toMatchObject({
      status: 1,
      stdout: "a base is 'node:24'; write it with its digest\n",
    });
  });

  it("verifies, in the commands that it documents, image and chart by digest and by the repository", () => {
    const comments = textOf("release.yml")
      .split(/^name:/m)[0]!
      .replaceAll(/^#/gm, "")
      .replaceAll("\\\n", "");
    const commands = [...comments.matchAll(/cosign verify (\S+) .*--certificate-identity-regexp '([^']+)'/g)].map(([, what, who]) => ({
      what,
      who: new RegExp(who!.replace("OWNER/REPO", "acme/edge")),
    }));
    const signed = [...textOf("release.yml").matchAll(/cosign sign --yes "\$(REGISTRY\/[a-z/]+)@/g)].map(([, what]) => `${what}@sha256:…`);
    expect(commands.map(({ what }) => what)).toEqual(signed);
    expect(comments.match(/--certificate-oidc-issuer https:\/\/token\.actions\.githubusercontent\.com /g)).toHaveLength(commands.length);
    const ours = "https://github.com/acme/edge/.github/workflows/release.yml@refs/tags/v1.2.3";
    const others = [
      ours.replace("acme/edge", "mallory/edge"),
      ours.replace("acme/edge", "acme/edge-of-mallory"),
      `https://github.com/mallory/x/.github/workflows/${ours}`,
      ours.replace("github.com", "github-com.example"),
      ours.replace("github.com", "githubxcom"),
      ours.replace("release.yml", "ci.yaml"),
      ours.replace("tags/v1.2.3", "heads/main"),
    ];
    for (const { what, who } of commands)
      expect([what, ...[ours, ...others].filter((identity) => who.test(identity))]).toEqual([what, ours]);
  });
});

describe("the workflow on kind", () => {
  it("makes a cluster of a control plane and the nodes of two PoPs, from a file that kind reads", () => {
    expect(stepsOf("ci.yaml").some(({ run }) => run?.startsWith("kind create cluster --name rollward --config config/kind.yaml "))).toBe(
      true,
    );
    const { kind, apiVersion, nodes } = parse(readFileSync(join(ROOT, "config/kind.yaml"), "utf8")) as {
      kind: string;
      apiVersion: string;
      nodes: { role: string; labels?: Record<string, string> }[];
    };
    expect([kind, apiVersion]).toEqual(["Cluster", "kind.x-k8s.io/v1alpha4"]);
    const pops = nodes.map(({ role, labels }) => labels?.["rollward.dev/pop"] ?? role);
    expect(pops).toEqual(["control-plane", ...Array<string>(4).fill("tokyo"), ...Array<string>(4).fill("berlin")]);
  });
});
