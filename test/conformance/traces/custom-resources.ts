import { expect } from "vitest";
import { MAINTENANCE_WINDOW } from "../../../src/api/resources.ts";
import type { MaintenanceWindow } from "../../../src/api/maintenance-window.ts";
import type { Draft } from "../../../src/control/ports.ts";
import { trace, type Player } from "../trace.ts";

const sundays = { schedule: { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] } };
const draft = (t: Player, spec: object = sundays, more: object = {}): Draft<MaintenanceWindow> =>
  ({ metadata: { name: "one", namespace: t.namespace }, spec, ...more }) as unknown as Draft<MaintenanceWindow>;
const accepted = { type: "Accepted", status: "True", reason: "Accepted", message: "", lastTransitionTime: "2026-01-04T01:00:00Z" } as const;

trace("a custom resource's status is written by itself, and alone; generations count the spec", async (t) => {
  const created = await t.ok("create: its status is dropped, its defaults are filled in", (cluster) =>
    cluster.create(MAINTENANCE_WINDOW, draft(t, sundays, { status: { conditions: [accepted] } })),
  );
  const judged = await t.ok("status", (cluster) =>
    cluster.updateStatus(MAINTENANCE_WINDOW, {
      ...created,
      metadata: { ...created.metadata, labels: { a: "b" }, finalizers: ["x.example/y"] },
      spec: { ...created.spec, notice: "48h" },
      status: { conditions: [accepted] },
    }),
  );
  await t.fails("status, as seen before", "409 Conflict", (cluster) => cluster.updateStatus(MAINTENANCE_WINDOW, created));
  await t.ok("the same status again", (cluster) => cluster.updateStatus(MAINTENANCE_WINDOW, judged));
  const { status: _, ...bare } = judged;
  const labelled = await t.ok("update without the status keeps it; a label is no generation", (cluster) =>
    cluster.update(MAINTENANCE_WINDOW, { ...bare, metadata: { ...judged.metadata, labels: { a: "b" } } }),
  );
  const changed = await t.ok("update of the spec", (cluster) =>
    cluster.update(MAINTENANCE_WINDOW, { ...labelled, spec: { ...labelled.spec, notice: "48h" } }),
  );
  await t.ok("a patch of the status alone changes nothing", (cluster) =>
    cluster.patch(MAINTENANCE_WINDOW, "one", t.namespace, [{ op: "remove", path: "/status/conditions" }]),
  );
  await t.ok("an empty status", (cluster) => cluster.updateStatus(MAINTENANCE_WINDOW, { ...changed, status: {} }));
  const { resourceVersion: __, ...unversioned } = changed.metadata;
  await t.fails("update without resourceVersion", "422 Invalid", (cluster) =>
    cluster.update(MAINTENANCE_WINDOW, { ...changed, metadata: unversioned } as unknown as MaintenanceWindow),
  );
  await t.fails("status without resourceVersion", "422 Invalid", (cluster) =>
    cluster.updateStatus(MAINTENANCE_WINDOW, { ...changed, metadata: unversioned } as unknown as MaintenanceWindow),
  );
});

trace("the schema of a custom resource prunes, completes and refuses", async (t) => {
  const create = (spec: object, options = {}) => t.cluster.create(MAINTENANCE_WINDOW, draft(t, spec), { dryRun: true, ...options });
  const slot = { day: "Sunday", start: "01:00", end: "03:00" };
  await t.ok("unknown fields vanish", () => create({ ...sundays, colour: "blue", schedule: { weekly: [{ ...slot, x: 1 }] } }), {
    compare: ({ spec }) => spec,
  });
  await t.fails("unknown fields, strict", "400 BadRequest", () => create({ ...sundays, colour: "blue" }, { fieldValidation: "Strict" }));
  for (const [what, timeZone] of [
    ["a default for what is left out", undefined],
    ["a default for null", null],
  ] as const) {
    const completed = await t.ok(what, () => create({ ...sundays, timeZone }), { compare: ({ spec }) => spec });
    expect(completed.spec.timeZone, what).toBe("Local");
  }
  await t.ok("null where none is", () => create({ ...sundays, notice: null }), { compare: ({ spec }) => spec });
  await t.fails("no spec", "422 Invalid", () =>
    t.cluster.create(MAINTENANCE_WINDOW, { metadata: { name: "one", namespace: t.namespace } } as never),
  );
  await t.fails("no schedule", "422 Invalid", () => create({}));
  await t.fails("a misspelt day", "422 Invalid", () => create({ schedule: { weekly: [{ ...slot, day: "Sonday" }] } }));
  await t.fails("a time that is none", "422 Invalid", () => create({ schedule: { weekly: [{ ...slot, start: "25:00" }] } }));
  await t.fails("a number for a text", "422 Invalid", () => create({ ...sundays, notice: 48 }));
  await t.fails("one slot twice", "422 Invalid", () => create({ schedule: { weekly: [slot, slot] } }));
  await t.fails("15 slots", "422 Invalid", () =>
    create({ schedule: { weekly: Array.from({ length: 15 }, (_, n) => ({ ...slot, start: `0${n % 10}:0${Math.floor(n / 10)}` })) } }),
  );
});

trace("a custom resource with a finalizer: deletion is a generation, status can still be written", async (t) => {
  const base = draft(t);
  await t.ok("create", (cluster) =>
    cluster.create(MAINTENANCE_WINDOW, { ...base, metadata: { ...base.metadata, finalizers: ["rollward.dev/claims"] } }),
  );
  await t.ok("delete", (cluster) => cluster.delete(MAINTENANCE_WINDOW, "one", t.namespace));
  const marked = (await t.ok("marked", (cluster) => cluster.get(MAINTENANCE_WINDOW, "one", t.namespace)))!;
  const written = await t.ok("status", (cluster) =>
    cluster.updateStatus(MAINTENANCE_WINDOW, { ...marked, status: { conditions: [accepted] } }),
  );
  await t.ok(
    "finalizer off, as seen",
    (cluster) => cluster.update(MAINTENANCE_WINDOW, { ...written, metadata: { ...written.metadata, finalizers: [] } }),
    { compare: ({ metadata }) => metadata.name },
  );
  await t.fails("status of what is gone", "404 NotFound", (cluster) => cluster.updateStatus(MAINTENANCE_WINDOW, written));
});
