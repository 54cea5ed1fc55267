import { ApiError } from "../control/ports.ts";
import { cleanText } from "../core/text.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** Ends a command with a sentence and an exit code. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: ExitCode;

  constructor(code: ExitCode, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** Sentence and exit code of what ended a command; what is neither a refusal nor an API server's answer is a fault of ours. */
export function explainError(error: unknown): { readonly sentence: string; readonly code: ExitCode } {
  if (error instanceof Refusal) return { sentence: error.message, code: error.code };
  if (error instanceof ApiError) return { sentence: cleanText(apiSentence(error), 1024), code: EXIT.failed };
  return { sentence: error instanceof Error ? (error.stack ?? error.message) : String(error), code: EXIT.failed };
}

function apiSentence({ code, message }: ApiError): string {
  if (code === 0) return `the API server does not answer (${message}); check --kubeconfig and the network, then try again`;
  if (code === 401) return `the API server does not know you (${message}); check the credentials in the kubeconfig`;
  if (code === 403)
    return `the API server refuses (${message}); ask for that right, or, as a customer, for what your own namespace tells: rollward status --account NAME`;
  return `the API server answered ${code}: ${message}`;
}
