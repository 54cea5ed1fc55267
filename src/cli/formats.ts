import { Option } from "commander";
import { stringify } from "yaml";

export const FORMATS = ["table", "wide", "json", "yaml"] as const;
export type Format = (typeof FORMATS)[number];

export const outputOption = (): Option => new Option("-o, --output <format>", "how to print").choices(FORMATS).default("table");

/** Data for other programs, ending in a line break. */
export const dataText = (value: unknown, format: "json" | "yaml"): string =>
  format === "json" ? `${JSON.stringify(value, undefined, 2)}\n` : stringify(value);
