import type { DeviceAttributes } from "../../control/inventory.ts";
import type { DeploymentReply, DeviceGateway, PollReply, Word } from "./device-gateway.ts";

export interface WireSettings {
  /** Scheme, host and port of the gateway, without a slash at the end. */
  readonly origin: string;
  readonly account: string;
  readonly serial: string;
  /** `TargetToken` is the device's own, `GatewayToken` one of its account. */
  readonly token: { readonly kind: "TargetToken" | "GatewayToken"; readonly value: string };
  /** A call that takes longer got no answer; milliseconds. */
  readonly deadlineMilliseconds?: number;
}

interface PollDocument {
  readonly config?: { readonly polling?: { readonly sleep?: string } };
  readonly _links?: Readonly<Partial<Record<"configData" | "deploymentBase" | "cancelAction", { readonly href: string }>>>;
}

interface DeploymentDocument {
  readonly deployment?: { readonly update?: string; readonly chunks?: readonly { readonly version?: string }[] };
}

const DEADLINE = 10_000;
const SLEEP = 300_000;
const GONE = new Set([404, 410]);

const FEEDBACK: Readonly<Record<Word, readonly [execution: string, finished: string]>> = {
  proceeding: ["proceeding", "none"],
  downloaded: ["downloaded", "none"],
  success: ["closed", "success"],
  failure: ["closed", "failure"],
  canceled: ["canceled", "success"],
};

/** The gateway over HTTP, as a device in the field speaks to it (DDI). A call never rejects: no answer is no answer. */
export class WireGateway implements DeviceGateway {
  readonly #settings: WireSettings;
  readonly #base: string;

  constructor(settings: WireSettings) {
    this.#settings = settings;
    this.#base = `${settings.origin}/${settings.account}/controller/v1/${settings.serial}`;
  }

  async poll(): Promise<PollReply | undefined> {
    const document = await this.#read<PollDocument>(this.#base);
    if (document === undefined) return undefined;
    const { configData, deploymentBase, cancelAction } = document._links ?? {};
    const [deployment, cancel] = [actionOf(deploymentBase?.href), actionOf(cancelAction?.href)];
    return {
      sleepMilliseconds: millisecondsOf(document.config?.polling?.sleep) ?? SLEEP,
      configData: configData !== undefined,
      ...(deployment === undefined ? {} : { deployment }),
      ...(cancel === undefined ? {} : { cancel }),
    };
  }

  async report({ version, model, haState, keepalive, pop, prefetch }: DeviceAttributes): Promise<boolean> {
    const said = { version, model, "ha.state": haState, "ha.keepalive": keepalive, pop, prefetch };
    const data = Object.fromEntries(Object.entries(said).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])));
    const answer = await this.#call(`${this.#base}/configData`, "PUT", { mode: "merge", data });
    return answer?.ok === true;
  }

  async deployment(action: number): Promise<DeploymentReply | undefined> {
    const document = await this.#read<DeploymentDocument>(`${this.#base}/deploymentBase/${action}`);
    const version = document?.deployment?.chunks?.[0]?.version;
    return version === undefined ? undefined : { version, install: document?.deployment?.update !== "skip" };
  }

  async say(action: number, word: Word): Promise<"Heard" | "Gone" | "Unheard"> {
    const [execution, finished] = FEEDBACK[word];
    const to = word === "canceled" ? "cancelAction" : "deploymentBase";
    const status = { execution, result: { finished }, details: [] };
    const answer = await this.#call(`${this.#base}/${to}/${action}/feedback`, "POST", { id: String(action), status });
    if (answer?.ok === true) return "Heard";
    return answer !== undefined && GONE.has(answer.status) ? "Gone" : "Unheard";
  }

  async #read<Document>(url: string): Promise<Document | undefined> {
    const answer = await this.#call(url, "GET");
    if (answer?.ok !== true) return undefined;
    try {
      return JSON.parse(answer.text) as Document;
    } catch {
      return undefined;
    }
  }

  /** The body is read to its end, or the connection would not be used again. */
  async #call(
    url: string,
    method: "GET" | "PUT" | "POST",
    body?: unknown,
  ): Promise<{ readonly ok: boolean; readonly status: number; readonly text: string } | undefined> {
    const { token, deadlineMilliseconds = DEADLINE } = this.#settings;
    try {
      const response = await fetch(url, {
        method,
        headers: {
          authorization: `${token.kind} ${token.value}`,
          accept: "application/hal+json",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        signal: AbortSignal.timeout(deadlineMilliseconds),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { ok: response.ok, status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  }
}

/** The number at the end of a link, whatever query follows it. */
function actionOf(href: string | undefined): number | undefined {
  const digits = href === undefined ? undefined : /\/(\d+)(?:\?[^/]*)?$/.exec(href)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** `HH:MM:SS` as milliseconds; undefined: it is none. */
function millisecondsOf(text: string | undefined): number | undefined {
  const [, hours, minutes, seconds] = /^(\d{1,2}):(\d{2}):(\d{2})$/.exec(text ?? "") ?? [];
  return hours === undefined ? undefined : (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
}
