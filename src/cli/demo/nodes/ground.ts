import type { OpenNodes } from "../node-ground.ts";
import type { DemoNodes } from "../ports.ts";

/** Nodes that run before the play begins; what happens to them there is their power. */
export const realGround = (world: DemoNodes): OpenNodes => {
  const off = new Set<string>();
  const powerOn = async (name: string): Promise<void> => {
    await world.powerOn(name);
    off.delete(name);
  };
  const powerOff = async (name: string): Promise<void> => {
    await world.powerOff(name);
    off.add(name);
  };
  return () =>
    Promise.resolve({
      nodes: {
        start: async (specs) => {
          const strangers = specs.filter(({ name }) => !world.directory.some((node) => node.name === name));
          if (strangers.length > 0) throw new Error(`There is no real node ${strangers.map(({ name }) => name).join(", ")}.`);
          await Promise.all(specs.filter(({ name }) => off.has(name)).map(({ name }) => powerOn(name)));
        },
        kill: powerOff,
        reboot: async (name) => {
          if (!off.has(name)) await powerOff(name);
          await powerOn(name);
        },
        directory: () => world.directory,
      },
      doorOf: world.doorOf,
      enter: world.enter,
      // The registry is made once; what it does not have, it never had.
      missingImages: new Set<string>(),
      end: () => world.stop(),
    });
};
