#!/usr/bin/env node
import { readFile } from "node:fs/promises";
import { CommanderError } from "commander";
import { EXIT } from "./cli/exit-codes.ts";
import type { CliIo } from "./cli/io.ts";
import { utf8Text } from "./cli/utf8.ts";
import { commandLine } from "./commands.ts";
import { endQuietly } from "./composition/reader-gone.ts";

/** The surroundings of every command: this process. What a command asks of an API server is loaded only when it asks. */
const io: CliIo = {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY ?? false,
  // The line is taken away first: a shorter one would leave the end of it.
  ...(process.stderr.isTTY ? { progress: (line: string) => void process.stderr.write(`\r\u001b[2K${line}`) } : {}),
  connect: async (options) => (await import("./composition/connect.ts")).connect(options),
  now: () => Date.now(),
  readFile: async (path) => utf8Text(await readFile(path === "-" ? "/dev/stdin" : path)),
  exit: (code) => void (process.exitCode = code),
};

process.stdout.on("error", endQuietly);

try {
  await commandLine(io).parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // It has said what is wrong with the words; help and version are no error.
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
}
