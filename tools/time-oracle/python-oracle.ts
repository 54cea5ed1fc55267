import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { TimeOracle } from "./time-oracle.ts";

/** The oracle over Python's zoneinfo: one process, one line asked, one line answered, in order. */
export class PythonOracle implements TimeOracle {
  readonly name = "Python zoneinfo";
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  private complaint = "";

  constructor(script: string, folder: string) {
    this.process = spawn("python3", ["-I", script, folder], { stdio: "pipe" });
    createInterface({ input: this.process.stdout }).on("line", (line) => this.waiting.shift()?.resolve(line));
    this.process.stderr.on("data", (chunk: Buffer) => (this.complaint = (this.complaint + chunk.toString()).slice(-2_000)));
    const end = (error: Error) => {
      for (const { reject } of this.waiting.splice(0)) reject(error);
    };
    this.process.on("error", end);
    this.process.on("close", (code) => end(new Error(`the oracle ended with ${code}: ${this.complaint}`)));
  }

  private async ask<Answer>(question: object): Promise<Answer> {
    const line = new Promise<string>((resolve, reject) => this.waiting.push({ resolve, reject }));
    this.process.stdin.write(`${JSON.stringify(question)}\n`);
    return JSON.parse(await line) as Answer;
  }

  async version(): Promise<string> {
    return (await this.ask<{ version: string }>({ ask: "version" })).version;
  }

  /** Every name of the tz database, links included. */
  async names(): Promise<string[]> {
    return (await this.ask<{ names: string[] }>({ ask: "names" })).names;
  }

  /** IANA's preferred name of each place. */
  async places(): Promise<string[]> {
    return (await this.ask<{ names: string[] }>({ ask: "places" })).names;
  }

  async transitions(zone: string, from: number, to: number): Promise<[number, number, number][]> {
    return (await this.ask<{ transitions: [number, number, number][] }>({ ask: "transitions", zone, from, to })).transitions;
  }

  async starts(zone: string, nominal: readonly number[]): Promise<number[]> {
    return (await this.ask<{ starts: number[] }>({ ask: "starts", zone, nominal })).starts;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.process.once("close", () => resolve()));
    this.process.stdin.end();
    await closed;
  }
}
