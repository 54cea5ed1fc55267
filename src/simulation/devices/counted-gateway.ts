import type { OperatorWatch } from "../operator-watch.ts";
import type { DeviceGateway, PollReply } from "./device-gateway.ts";

/** The same gateway; each poll is told, with its answer as a real gateway names it and the time of this machine that it took. */
export function countedGateway(gateway: DeviceGateway, watch: Pick<OperatorWatch, "checkedIn">): DeviceGateway {
  return {
    poll: async () => {
      const began = performance.now();
      const reply = await gateway.poll();
      watch.checkedIn("ddi", answerOf(reply), (performance.now() - began) / 1_000);
      return reply;
    },
    report: (attributes) => gateway.report(attributes),
    deployment: (action) => gateway.deployment(action),
    say: (action, word) => gateway.say(action, word),
  };
}

function answerOf(reply: PollReply | undefined): string {
  if (reply === undefined) return "Unavailable";
  if (reply.cancel !== undefined) return "Cancel";
  if (reply.deployment !== undefined) return "Deployment";
  return reply.configData ? "ConfigData" : "Nothing";
}
