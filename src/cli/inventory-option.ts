import { Option } from "commander";
import { InventoryUnavailable } from "../control/inventory.ts";
import type { ClientInventory } from "../control/client-inventory.ts";
import { EXIT } from "./exit-codes.ts";
import { Refusal } from "./refusal.ts";

/** Opens the inventory that a URL names, whoever asked closes it; rejects with a sentence. */
export type OpenClients = (url: string) => Promise<{ readonly clients: ClientInventory; close(): Promise<void> }>;

export const inventoryOption = (): Option =>
  new Option("--inventory <url>", "sqlite:PATH or postgresql://…, as the operator has it").env("ROLLWARD_INVENTORY");

/** Opens what `--inventory` names, or a refusal that says what to write. */
export async function opened<Opened>(open: (url: string) => Promise<Opened>, url: string | undefined): Promise<Opened> {
  if (url === undefined) {
    const example = "--inventory sqlite:/var/lib/rollward/inventory.db, or set ROLLWARD_INVENTORY";
    throw new Refusal(EXIT.badInput, `which inventory is not said; write ${example}`);
  }
  try {
    return await open(url);
  } catch (error) {
    throw new Refusal(EXIT.badInput, error instanceof Error ? error.message : String(error));
  }
}

/** Asks the inventory, closes it, and makes a sentence of its being away. */
export async function withClients<Answer>(
  open: OpenClients,
  url: string | undefined,
  ask: (clients: ClientInventory) => Promise<Answer>,
): Promise<Answer> {
  const registry = await opened(open, url);
  try {
    return await ask(registry.clients);
  } catch (error) {
    if (!(error instanceof InventoryUnavailable)) throw error;
    throw new Refusal(EXIT.failed, `the inventory does not answer (${error.message}); try again`);
  } finally {
    await registry.close();
  }
}
