import type { ClientAnswer } from "../../core/client/no-update.ts";
import type { OperatorWatch } from "../operator-watch.ts";
import type { ClientGateway } from "./client-fleet.ts";

/** The same gateway; each check-in is told, with its answer as a real gateway names it and its share of the time that the batch took. */
export function countedClientGateway(gateway: ClientGateway, watch: Pick<OperatorWatch, "checkedIn">): ClientGateway {
  return {
    checkIn: async (requests, now) => {
      const began = performance.now();
      const answers = await gateway.checkIn(requests, now);
      const seconds = (performance.now() - began) / 1_000 / Math.max(1, answers.length);
      for (const [index, answer] of answers.entries()) watch.checkedIn("omaha", nameOf(answer, requests[index]?.asks === true), seconds);
      return answers;
    },
  };
}

function nameOf(answer: ClientAnswer | undefined, asks: boolean): string {
  if (answer === undefined) return asks ? "Unavailable" : "Report";
  return answer.kind === "Offer" ? "Offer" : answer.reason;
}
