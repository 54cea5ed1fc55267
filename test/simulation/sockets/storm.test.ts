import { describe, expect, it } from "vitest";
import { storm } from "./storm.ts";

/** ROLLWARD_SOCKET_SEEDS=7 replays that seed, ROLLWARD_SOCKET_SEEDS=1-200 runs so many. */
const [from = 1, last = from] = (process.env["ROLLWARD_SOCKET_SEEDS"] ?? "1").split("-").map(Number);
const SEEDS = Array.from({ length: last - from + 1 }, (_, index) => from + index);

describe("[I3] [I4] [I7] [I8] [I20] [L1] sixteen sites in a storm of crashes, outages, restores, pauses and lying Sockets", () => {
  it.each(SEEDS)(
    "seed %i: nobody is told what he must not be told, and in the calm everybody comes to the newest version",
    async (seed) => {
      const nights = await storm(seed);
      expect(nights.breaches(), `replay with ROLLWARD_SOCKET_SEEDS=${seed}`).toEqual([]);
      const behind = Object.entries(nights.story.versions()).filter(([, version]) => version !== "19.0");
      expect(behind, `replay with ROLLWARD_SOCKET_SEEDS=${seed}`).toEqual([]);
    },
  );
});
