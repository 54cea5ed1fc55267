import { actionNumber, commandId, type CommandRow } from "./command.ts";

const id = commandId({ siteUid: "site-berlin", generation: 1, serial: "S-2002", attempt: 1 });

/** A row as the operator inserts it; what is not given is of no matter to the test. */
export const commandRow = (given: Partial<CommandRow> = {}): CommandRow => ({
  id,
  action: actionNumber(id),
  account: "acme",
  site: { namespace: "acme", name: "berlin", uid: "site-berlin" },
  serial: "S-2002",
  version: "18.3.3",
  rollout: "rollout-18-3-3",
  notBefore: Date.parse("2026-11-29T00:00:00Z"),
  notAfter: Date.parse("2026-11-29T01:00:00Z"),
  state: "Open",
  ...given,
});
