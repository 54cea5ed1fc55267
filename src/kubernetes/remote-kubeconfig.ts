import { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";

/** A kubeconfig that may be used, or every reason why not, each a sentence that says what to write instead. */
export type RemoteKubeconfig =
  | { readonly accepted: true; readonly kubeconfig: KubeConfig; readonly server: string }
  | { readonly accepted: false; readonly problems: readonly string[] };

/** A named part of the file; its fields are whatever somebody wrote. */
interface Named {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Larger than any kubeconfig with its certificates; a Secret may hold 1 MiB. */
const LONGEST_TEXT = 256 * 1024;

/**
 * Reads the kubeconfig of a remote cluster from the text of a Secret. Whoever may write that Secret must gain nothing but the
 * cluster that it names: exec and auth plugins would run commands in this process's place, file paths would read its files, a
 * proxy or switched-off verification would let somebody else answer (rule P17). Refused wherever in the file they stand.
 */
export function parseRemoteKubeconfig(text: string): RemoteKubeconfig {
  const file = readYaml(text);
  if (typeof file === "string") return { accepted: false, problems: [file] };
  const clusters = namedParts(file["clusters"], "cluster");
  const users = namedParts(file["users"], "user");
  const contexts = namedParts(file["contexts"], "context");
  const context = contexts.find((entry) => entry.name === file["current-context"]);
  const cluster = clusters.find((entry) => entry.name === context?.fields["cluster"]);
  const user = users.find((entry) => entry.name === context?.fields["user"]);
  const problems = [
    ...clusters.flatMap(problemsOfCluster),
    ...users.flatMap(problemsOfUser),
    ...problemsOfContext(file["current-context"], context, cluster, user),
  ];
  if (problems.length > 0 || !cluster || !user) return { accepted: false, problems };
  return { accepted: true, kubeconfig: kubeconfigOf(cluster, user), server: cluster.fields["server"] as string };
}

function readYaml(text: string): Readonly<Record<string, unknown>> | string {
  if (Buffer.byteLength(text) > LONGEST_TEXT)
    return `the kubeconfig has more than ${LONGEST_TEXT / 1024} KiB; write one cluster, one user and one context`;
  try {
    const file: unknown = parse(text);
    if (file !== null && typeof file === "object" && !Array.isArray(file)) return file as Record<string, unknown>;
  } catch {
    // The parser's message would repeat the text, and with it a token.
  }
  return "the kubeconfig is no YAML mapping; write a file with clusters, users, contexts and current-context";
}

function namedParts(list: unknown, part: "cluster" | "user" | "context"): readonly Named[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry: Record<string, unknown> | null) => {
    const fields = entry?.[part];
    const name = entry?.["name"];
    return {
      name: typeof name === "string" ? name : "",
      fields: fields !== null && typeof fields === "object" ? (fields as Record<string, unknown>) : {},
    };
  });
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== "" && value !== false;

function problemsOfCluster({ name, fields }: Named): readonly string[] {
  const where = `cluster ${name}`;
  const problems: string[] = [];
  if (isSet(fields["certificate-authority"]))
    problems.push(`${where}: certificate-authority is a file path; write the certificate itself as certificate-authority-data`);
  if (isSet(fields["proxy-url"])) problems.push(`${where}: proxy-url is not allowed; write a server that is reached directly`);
  if (isSet(fields["insecure-skip-tls-verify"])) {
    problems.push(`${where}: insecure-skip-tls-verify is not allowed; write the cluster's CA as certificate-authority-data`);
  }
  const problem = problemOfServer(fields["server"]);
  if (problem !== undefined) problems.push(`${where}: ${problem}`);
  if (isSet(fields["certificate-authority-data"]) && !isPem(fields["certificate-authority-data"], "CERTIFICATE")) {
    problems.push(`${where}: certificate-authority-data is no base64 of a PEM certificate`);
  }
  return problems;
}

function problemOfServer(server: unknown): string | undefined {
  if (typeof server !== "string" || !URL.canParse(server)) return "server is no address; write https://host:port";
  const url = new URL(server);
  if (url.protocol !== "https:") return `server begins with ${url.protocol}//; write https://`;
  if (url.username !== "" || url.password !== "")
    return "server contains a user name or password; write the token or client certificate of the user";
  return undefined;
}

const CREDENTIAL_FILES: readonly (readonly [string, string])[] = [
  ["client-certificate", "client-certificate-data"],
  ["client-key", "client-key-data"],
  ["tokenFile", "token"],
  ["token-file", "token"],
];

function problemsOfUser({ name, fields }: Named): readonly string[] {
  const where = `user ${name}`;
  const problems: string[] = [];
  if (isSet(fields["exec"])) problems.push(`${where}: exec would run a command here; write a token or a client certificate`);
  if (isSet(fields["auth-provider"])) problems.push(`${where}: auth-provider is not allowed; write a token or a client certificate`);
  for (const [field, instead] of CREDENTIAL_FILES) {
    if (isSet(fields[field])) problems.push(`${where}: ${field} is a file path; write its content as ${instead}`);
  }
  for (const field of Object.keys(fields)) {
    if (field === "as" || field.startsWith("as-"))
      problems.push(`${where}: ${field} (impersonation) is not supported; write the credentials of the account itself`);
  }
  const certificate = isSet(fields["client-certificate-data"]);
  const key = isSet(fields["client-key-data"]);
  if (certificate !== key) problems.push(`${where}: client-certificate-data and client-key-data go together, one is missing`);
  if (certificate && !isPem(fields["client-certificate-data"], "CERTIFICATE"))
    problems.push(`${where}: client-certificate-data is no base64 of a PEM certificate`);
  if (key && !isPem(fields["client-key-data"], "PRIVATE KEY")) problems.push(`${where}: client-key-data is no base64 of a PEM key`);
  if (problems.length === 0 && !certificate && !(typeof fields["token"] === "string" && fields["token"].trim() !== "")) {
    problems.push(`${where}: no credentials; write a token, or client-certificate-data and client-key-data`);
  }
  return problems;
}

function problemsOfContext(
  current: unknown,
  context: Named | undefined,
  cluster: Named | undefined,
  user: Named | undefined,
): readonly string[] {
  if (!isSet(current)) return ["current-context is missing; write the name of the context to use"];
  if (!context) return [`current-context ${String(current)} is not among the contexts`];
  const problems: string[] = [];
  if (!cluster) problems.push(`context ${context.name}: its cluster ${String(context.fields["cluster"])} is not among the clusters`);
  if (!user) problems.push(`context ${context.name}: its user ${String(context.fields["user"])} is not among the users`);
  return problems;
}

function isPem(value: unknown, what: string): boolean {
  if (typeof value !== "string") return false;
  const text = Buffer.from(value, "base64").toString("latin1");
  return text.includes("-----BEGIN ") && text.includes(`${what}-----`);
}

/** Made of the checked fields only; nothing else of the file reaches the client library. */
function kubeconfigOf(cluster: Named, user: Named): KubeConfig {
  const kubeconfig = new KubeConfig();
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  const optional = <K extends string>(key: K, value: string | undefined) =>
    value === undefined ? {} : ({ [key]: value } as Record<K, string>);
  kubeconfig.loadFromOptions({
    clusters: [
      {
        name: cluster.name,
        server: (cluster.fields["server"] as string).replace(/\/+$/, ""),
        skipTLSVerify: false,
        ...optional("caData", text(cluster.fields["certificate-authority-data"])),
        ...optional("tlsServerName", text(cluster.fields["tls-server-name"])),
      },
    ],
    users: [
      {
        name: user.name,
        ...optional("token", text(user.fields["token"])?.trim()),
        ...optional("certData", text(user.fields["client-certificate-data"])),
        ...optional("keyData", text(user.fields["client-key-data"])),
      },
    ],
    contexts: [{ name: "remote", cluster: cluster.name, user: user.name }],
    currentContext: "remote",
  });
  return kubeconfig;
}
