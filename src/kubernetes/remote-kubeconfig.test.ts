import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { selfSigned } from "../../test/kubernetes/self-signed.ts";
import { parseRemoteKubeconfig } from "./remote-kubeconfig.ts";

const pki = selfSigned();
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A kubeconfig that is accepted, with fields of its cluster and user replaced or (undefined) left out. */
function file(cluster: Record<string, unknown> = {}, user: Record<string, unknown> = {}, rest: Record<string, unknown> = {}): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "fra1", cluster: { server: "https://10.0.0.1:6443", "certificate-authority-data": base64(pki.certificate), ...cluster } },
    ],
    users: [{ name: "rollward", user: { token: "a-token", ...user } }],
    contexts: [{ name: "main", context: { cluster: "fra1", user: "rollward" } }],
    "current-context": "main",
    ...rest,
  });
}

function problemsOf(text: string): readonly string[] {
  const result = parseRemoteKubeconfig(text);
  return result.accepted ? [] : result.problems;
}

describe("[P17] the kubeconfig of a remote PoP", () => {
  test("with server, authority and token or client certificate inside is accepted, and only these reach the client", () => {
    const result = parseRemoteKubeconfig(file());
    if (!result.accepted) throw new Error(result.problems.join());
    expect(result.server).toBe("https://10.0.0.1:6443");
    expect(result.kubeconfig.getCurrentUser()).toEqual({ name: "rollward", token: "a-token" });
    expect(result.kubeconfig.getCurrentCluster()?.skipTLSVerify).toBe(false);
    expect(
      problemsOf(file({}, { token: undefined, "client-certificate-data": base64(pki.certificate), "client-key-data": base64(pki.key) })),
    ).toEqual([]);
  });

  test.each([
    ["exec", {}, { exec: { command: "sh" } }, "user rollward: exec would run a command here; write a token or a client certificate"],
    [
      "auth provider",
      {},
      { "auth-provider": { name: "gcp" } },
      "user rollward: auth-provider is not allowed; write a token or a client certificate",
    ],
    ["token file", {}, { tokenFile: "/etc/passwd" }, "user rollward: tokenFile is a file path; write its content as token"],
    [
      "token file, old spelling",
      {},
      { "token-file": "/etc/passwd" },
      "user rollward: token-file is a file path; write its content as token",
    ],
    [
      "certificate file",
      {},
      { "client-certificate": "/a" },
      "user rollward: client-certificate is a file path; write its content as client-certificate-data",
    ],
    ["key file", {}, { "client-key": "/a" }, "user rollward: client-key is a file path; write its content as client-key-data"],
    [
      "CA file",
      { "certificate-authority": "/a" },
      {},
      "cluster fra1: certificate-authority is a file path; write the certificate itself as certificate-authority-data",
    ],
    ["proxy", { "proxy-url": "socks5://evil" }, {}, "cluster fra1: proxy-url is not allowed; write a server that is reached directly"],
    [
      "no verification",
      { "insecure-skip-tls-verify": true },
      {},
      "cluster fra1: insecure-skip-tls-verify is not allowed; write the cluster's CA as certificate-authority-data",
    ],
    [
      "no verification, as text",
      { "insecure-skip-tls-verify": "true" },
      {},
      "cluster fra1: insecure-skip-tls-verify is not allowed; write the cluster's CA as certificate-authority-data",
    ],
    ["plain http", { server: "http://10.0.0.1" }, {}, "cluster fra1: server begins with http://; write https://"],
    ["no address", { server: "fra1" }, {}, "cluster fra1: server is no address; write https://host:port"],
    [
      "password in the address",
      { server: "https://a:b@c" },
      {},
      "cluster fra1: server contains a user name or password; write the token or client certificate of the user",
    ],
    [
      "broken authority",
      { "certificate-authority-data": "bm8=" },
      {},
      "cluster fra1: certificate-authority-data is no base64 of a PEM certificate",
    ],
    ["no credentials", {}, { token: "" }, "user rollward: no credentials; write a token, or client-certificate-data and client-key-data"],
    [
      "basic auth",
      {},
      { token: undefined, username: "a", password: "b" },
      "user rollward: no credentials; write a token, or client-certificate-data and client-key-data",
    ],
    [
      "half a pair",
      {},
      { "client-key-data": base64(pki.key) },
      "user rollward: client-certificate-data and client-key-data go together, one is missing",
    ],
    [
      "impersonation",
      {},
      { as: "admin" },
      "user rollward: as (impersonation) is not supported; write the credentials of the account itself",
    ],
  ])("refused: %s", (_, cluster, user, sentence) => {
    expect(problemsOf(file(cluster, user))).toEqual([sentence]);
  });

  test("refused also where another context than the current one has it, and every reason is named at once", () => {
    const users = [
      { name: "rollward", user: { token: "t", exec: { command: "sh" } } },
      { name: "other", user: { exec: { command: "sh" } } },
    ];
    expect(problemsOf(file({ server: "http://x" }, {}, { users }))).toHaveLength(3);
  });

  test("contexts that lead nowhere, and text that is no kubeconfig, are named without repeating the text", () => {
    expect(problemsOf(file({}, {}, { "current-context": "gone" }))).toEqual(["current-context gone is not among the contexts"]);
    expect(problemsOf(file({}, {}, { "current-context": undefined }))).toEqual([
      "current-context is missing; write the name of the context to use",
    ]);
    expect(problemsOf(file({}, {}, { users: [] }))).toEqual(["context main: its user rollward is not among the users"]);
    for (const text of ["", "- a", "secret-token: [", "a: &a [*a, *a]\nb: [*c]"]) {
      expect(problemsOf(text).join()).toMatch(/no YAML mapping|current-context is missing/);
      expect(problemsOf(text).join()).not.toContain("secret");
    }
    expect(problemsOf("a".repeat(300_000))[0]).toContain("more than 256 KiB");
  });
});
