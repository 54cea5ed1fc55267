// The few calls that starting a control plane needs, by node:https alone.
import { request as httpsRequest } from "node:https";

const ANSWER_WITHIN_MS = 10_000;

export interface ApiCaller {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** One request; `body` is sent as JSON. Rejects if there is no answer within 10 seconds. */
export function callApi(caller: ApiCaller, method: string, path: string, body?: unknown): Promise<ApiAnswer> {
  return new Promise((done, fail) => {
    const headers = {
      authorization: `Bearer ${caller.token}`,
      "user-agent": "rollward-control-plane",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const options = { method, headers, ca: caller.ca, agent: false as const, timeout: ANSWER_WITHIN_MS };
    const request = httpsRequest(new URL(path, caller.url), options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", fail);
      response.on("end", () => done({ status: response.statusCode ?? 0, body: text }));
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`)));
    request.on("error", fail);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
