// A Socket that does what it is told as soon as it is told: it polls, says what it is, takes what it is offered, and runs it.
export interface PlainDevice {
  /** What it runs. */
  readonly version: string;
  /** One poll, and what follows from it. */
  turn(): Promise<void>;
}

interface Links {
  readonly configData?: { readonly href: string };
  readonly deploymentBase?: { readonly href: string };
}

/** `address`: `http://127.0.0.1:8080/acme/controller/v1/S-1001`. */
export function plainDevice(address: string, token: string, first: string, attributes: Readonly<Record<string, string>> = {}): PlainDevice {
  let version = first;
  const call = async (url: string, method: string, body?: object): Promise<Record<string, unknown>> => {
    const headers = { authorization: `TargetToken ${token}`, "content-type": "application/json" };
    const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${text}`);
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
  const take = async (href: string): Promise<void> => {
    const { id, deployment } = (await call(href, "GET")) as { id: string; deployment: { chunks: { version: string }[] } };
    const feedback = new URL(`${new URL(href).pathname}/feedback`, href).href;
    for (const [execution, finished] of [
      ["proceeding", "none"],
      ["closed", "success"],
    ])
      await call(feedback, "POST", { id, status: { execution, result: { finished } } });
    version = deployment.chunks[0]!.version;
  };
  return {
    get version() {
      return version;
    },
    turn: async () => {
      const { _links = {} } = (await call(address, "GET")) as { _links?: Links };
      if (_links.configData) await call(`${address}/configData`, "PUT", { data: { version, ...attributes } });
      if (!_links.deploymentBase) return;
      await take(_links.deploymentBase.href);
      await call(`${address}/configData`, "PUT", { data: { version, ...attributes } });
    },
  };
}
