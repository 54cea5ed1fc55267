// A Client that asks once over Omaha: what it runs, and what it was told to do about it.
import { randomUUID } from "node:crypto";

export interface PlainClient {
  readonly version: string;
  /** One check-in: takes what it is offered, and runs it from then on. */
  turn(): Promise<void>;
}

interface Said {
  readonly response: { readonly app: readonly { readonly updatecheck?: { readonly status: string } }[] };
}

/** `address`: `http://127.0.0.1:8080/omaha/v1/acme`; `offered`: the version that an offer stands for. */
export function plainClient(address: string, token: string, user: string, first: string, offered: string): PlainClient {
  const machineid = randomUUID();
  let version = first;
  const ask = async (what: object): Promise<Said> => {
    const app = [{ appid: "rollward.client.windows", version, machineid, user, ...what }];
    const headers = { authorization: `ClientToken ${token}`, "content-type": "application/json" };
    const body = JSON.stringify({ request: { protocol: "3.1", requestid: randomUUID(), app } });
    const response = await fetch(address, { method: "POST", headers, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`POST ${address} answered ${response.status}: ${text}`);
    // What the answer begins with keeps a browser from running it.
    return JSON.parse(text.slice(text.indexOf("{"))) as Said;
  };
  return {
    get version() {
      return version;
    },
    turn: async () => {
      const { response } = await ask({ updatecheck: {} });
      if (response.app[0]?.updatecheck?.status !== "ok") return;
      version = offered;
      await ask({ updatecheck: {} });
    },
  };
}
