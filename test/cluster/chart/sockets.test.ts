// What the chart makes of `inventory`, `gateway` and `notices`, rendered; test/cluster/chart/gateway.test.ts runs it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readSettings } from "../../../src/settings.ts";
import { APART, CHART, describeWithHelm, EMBEDDED, helm, IMAGE, objectsOf, render, type Rendered, ROOT } from "./helm.ts";
import { containerOf } from "./workload.ts";

const ON = "inventory.postgresql.secretName=inventory";
const EMBEDDED_ON = "inventory.embedded.enabled=true,operator.replicas=1";
const TLS = "gateway.tls.secretName=sockets-tls";

/** Values that are refused, and the sentence: where, and what to write instead. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["inventory.embeded.enabled=true", /at '\/inventory\/embeded': value must be 'left out, .*; here are embedded, postgresql'/],
  ["inventory.embedded.emptyDir=true", /at '\/inventory\/embedded\/emptyDir': value must be 'left out: .* write size, or existingClaim'/],
  [
    "inventory.embedded.size=ten",
    /at '\/inventory\/embedded\/size': value must be 'the size of a volume with its unit, one of Mi, Gi, Ti, M, G/,
  ],
  [
    "inventory.embedded.size=20Gi",
    /inventory\.embedded\.size is set, and inventory\.embedded\.enabled is false, .*: write inventory\.embedded\.ena/,
  ],
  ["inventory.embedded.existingClaim=mine", /inventory\.embedded\.existingClaim is set, and inventory\.embedded\.enabled is false/],
  ["inventory.postgresql.key=uri", /inventory\.postgresql\.key is set, and inventory\.postgresql\.secretName is not: name the Secret/],
  [
    `${EMBEDDED_ON},${TLS},inventory.embedded.existingClaim=mine,inventory.embedded.size=20Gi`,
    /inventory\.embedded\.existingClaim names mine, so nothing is claimed, .*: leave existingClaim empty, or leave the two out/,
  ],
  [
    `${ON},${TLS},gateway.url=http://sockets.example`,
    /gateway\.url is http:\/\/sockets\.example, and the gateway speaks TLS, .*: write it with https:\/\/; .*gateway\.tls\.enabled=false/,
  ],
  [
    "inventory.postgresql.url=postgresql://a:b@c/d",
    /at '\/inventory\/postgresql\/url': value must be 'left out: .* into a Secret, and write secretName and key'/,
  ],
  ["gateway.replicsa=3", /at '\/gateway\/replicsa': value must be 'left out, .*; here are replicas, logLevel, url, tls, artifacts,/],
  ["gateway.ingress.enabled=true", /at '\/gateway\/ingress': value must be 'left out: .*TLS ends in the gateway.* service\.type=Load/],
  ["gateway.service.type=ExternalName", /at '\/gateway\/service\/type': value must be one of 'ClusterIP', 'LoadBalancer', 'NodePort'/],
  ["gateway.pollInterval=5", /at '\/gateway\/pollInterval': value must be 'a time with its unit, .*for example 15s/],
  [
    "gateway.url=sockets.example",
    /at '\/gateway\/url': value must be 'an http or https address, for example https:\/\/sockets\.example\.com,/,
  ],
  ["notices.host={a.example}", /at '\/notices\/host': value must be 'left out, .*; here are hosts, privateHosts, signing'/],
  ["notices.hosts={https://a.example/x}", /at '\/notices\/hosts\/0': value must be 'a host in lower case, for example hooks/],
  [
    `inventory.embedded.enabled=true,${TLS}`,
    /inventory\.embedded is one file, .* operator\.replicas is 2: write operator\.replicas=1, or name PostgreSQL/,
  ],
  [
    `${EMBEDDED_ON},${ON},${TLS}`,
    /inventory\.embedded and inventory\.postgresql are both on, .*: write inventory\.embedded\.enabled=false/,
  ],
  ["inventory.postgresql.caSecretName=ca", /caSecretName is set, and inventory\.postgresql\.secretName is not: name the Secret/],
  [ON, /gateway\.tls\.secretName is not set, .*kubectl create secret tls NAME .*write gateway\.tls\.enabled=false and gateway\.url/],
  [
    `${ON},${TLS},gateway.tls.enabled=false`,
    /gateway\.tls\.enabled is false, and gateway\.tls names Secrets .*: write gateway\.tls\.enabled=/,
  ],
  [`${ON},gateway.tls.enabled=false`, /does not know how devices reach it: write gateway\.url=https:\/\/NAME/],
  [TLS, /values of gateway are set, and there is no inventory, .*: write inventory\.embedded\.enabled=true with operator\.replicas=1/],
  ["notices.hosts={a.example}", /notices names hosts, and there is no inventory, .*: write inventory\.embedded\.enabled=true/],
  [`${ON},${TLS},notices.signing.secretName=key`, /nothing would ever be signed: write notices\.hosts or notices\.privateHosts/],
];

const named = (objects: readonly Rendered[], kind: string, name: string): Rendered =>
  objects.find((object) => object.kind === kind && object.metadata.name === name) ?? expect.fail(`${kind} ${name} is not rendered`);

const namesOf = (objects: readonly Rendered[]) =>
  objects.filter(({ metadata }) => /gateway|inventory/.test(metadata.name)).map(({ kind, metadata }) => `${kind} ${metadata.name}`);

describeWithHelm("the chart with Sockets", () => {
  it.for(REFUSED)("refuses %s with a sentence", async ([values, sentence]) => {
    const { failed, stderr } = await helm(["template", "rollward", CHART, "--namespace", "fleet", ...IMAGE, "--set", values]);
    expect(failed).toBe(true);
    expect(stderr).toMatch(sentence);
  });

  it("has none of it by itself, and asks for no inventory", async () => {
    const objects = await render();
    expect(namesOf(objects)).toEqual([]);
    expect(JSON.stringify(containerOf(named(objects, "Deployment", "rollward-operator")))).not.toMatch(/INVENTORY|gateway|notice|volume/);
  });

  it("embedded, operator and gateway are one pod that is never there twice, with a volume that stays when the release goes", async () => {
    const objects = await render(...EMBEDDED);
    expect(namesOf(objects).toSorted()).toEqual(["PersistentVolumeClaim rollward-inventory", "Service rollward-gateway"]);
    expect(named(objects, "PersistentVolumeClaim", "rollward-inventory").metadata.annotations).toEqual({
      "helm.sh/resource-policy": "keep",
    });
    const operator = named(objects, "Deployment", "rollward-operator");
    expect(operator["spec"]).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
    expect(named(objects, "Service", "rollward-gateway")["spec"]).toMatchObject({
      selector: { "app.kubernetes.io/component": "operator" },
      externalTrafficPolicy: "Local",
    });
    const ports = named(objects, "NetworkPolicy", "rollward-operator")["spec"] as { ingress: object[] };
    expect(ports.ingress).toContainEqual({
      ports: [{ port: "devices", protocol: "TCP" }],
      from: [{ ipBlock: { cidr: "192.0.2.0/24" } }],
    });
    const given = await render("--set", `${EMBEDDED_ON},${TLS},inventory.embedded.existingClaim=mine`);
    expect(namesOf(given)).toEqual(["Service rollward-gateway"]);
    expect(JSON.stringify(named(given, "Deployment", "rollward-operator"))).toContain('"claimName":"mine"');
  });

  it("with PostgreSQL operator and gateway are apart, and the gateway has no way out but to API server and inventory", async () => {
    const objects = await render(...APART);
    const kinds = "ClusterRole ClusterRoleBinding Deployment NetworkPolicy PodDisruptionBudget Role RoleBinding Service ServiceAccount";
    const gateways = kinds.split(" ").map((kind) => `${kind} rollward-gateway`);
    expect(namesOf(objects).toSorted()).toEqual([...gateways, "Service rollward-gateway-metrics"].toSorted());
    expect(named(objects, "Deployment", "rollward-operator")["spec"]).toMatchObject({ replicas: 2, strategy: { type: "RollingUpdate" } });
    const egress = (name: string) =>
      (named(objects, "NetworkPolicy", name)["spec"] as { egress: { ports: { port: number; endPort?: number }[] }[] }).egress.flatMap(
        ({ ports }) => ports.map(({ port, endPort }) => (endPort === undefined ? port : `${port}-${endPort}`)),
      );
    expect(egress("rollward-gateway")).toEqual([53, 53, 443, 6443, 5432]);
    expect(egress("rollward-operator")).toEqual([53, 53, 443, 6443, 9090, 5432, 443, 8443, "1-65535"]);
    const rightsOf = (found: readonly Rendered[]) =>
      found.filter(({ kind, metadata }) => kind.endsWith("Role") && metadata.name === "rollward-gateway").flatMap(({ rules }) => rules);
    expect(rightsOf(objects)).toEqual(rightsOf(objectsOf(readFileSync(join(ROOT, "config/rbac/gateway.yaml"), "utf8"))));
  });

  it("gives the URL of PostgreSQL to the processes by a Secret alone, to operator and gateway alike", async () => {
    const objects = await render(...APART);
    for (const name of ["rollward-operator", "rollward-gateway"]) {
      const { args, env } = containerOf(named(objects, "Deployment", name));
      expect(env).toEqual([{ name: "ROLLWARD_INVENTORY", valueFrom: { secretKeyRef: { name: "inventory", key: "url" } } }]);
      expect(args.join(" ")).not.toMatch(/inventory/);
    }
  });

  it.for([
    ["embedded", EMBEDDED],
    ["apart", APART],
  ] as const)("%s, every process takes its arguments, and every file that they name is mounted", async ([, values]) => {
    for (const deployment of (await render(...values)).filter(({ kind }) => kind === "Deployment")) {
      const { args, volumeMounts = [], volumes = [] } = containerOf(deployment);
      const flags = Object.fromEntries(
        args.slice(1).map((arg) => {
          const [, flag = "", value = ""] = /^--([a-z-]+)=(.*)$/.exec(arg) ?? expect.fail(`${arg} is no flag with a value`);
          return [flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()), value];
        }),
      );
      const read = readSettings(flags, { ROLLWARD_INVENTORY: "sqlite:/var/lib/rollward/inventory.db" });
      expect(read).toMatchObject({ ok: true });
      const paths = args.flatMap((arg) => /=(\/.*)$/.exec(arg)?.[1] ?? []);
      for (const path of paths)
        expect(
          volumeMounts.some(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`)),
          path,
        ).toBe(true);
      expect(volumeMounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
    }
  });
});
