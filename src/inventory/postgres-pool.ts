import type { PostgresPool, PostgresPoolClient } from "kysely";
import pg from "pg";
import { valuesOf } from "./engine.ts";

/** PostgreSQL's 8-byte integers come as text, because a double cannot hold all of them; ours are milliseconds, which it can. */
const BIGINT = 20;
const PARSERS = new pg.TypeOverrides();
PARSERS.setTypeParser(BIGINT, Number);

const STATEMENT_WITHIN_MS = 5_000;
/** Where the server's host is gone without a word, nobody would end the wait but we. */
const ANSWER_WITHIN_MS = 7_000;

export function clientConfig(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: "rollward",
    types: PARSERS,
    keepAlive: true,
    connectionTimeoutMillis: STATEMENT_WITHIN_MS,
    statement_timeout: STATEMENT_WITHIN_MS,
    lock_timeout: STATEMENT_WITHIN_MS,
    idle_in_transaction_session_timeout: STATEMENT_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
  };
}

/** At most ten connections, made when they are needed. One that broke is never handed out again. */
export function pool(url: string, answerWithin = ANSWER_WITHIN_MS): PostgresPool {
  const connections = new pg.Pool({
    ...clientConfig(url),
    query_timeout: answerWithin,
    max: 10,
    idleTimeoutMillis: 60_000,
    allowExitOnIdle: true,
  });
  // An idle connection that the server ends is taken out by the pool; without a listener the process would end of it.
  connections.on("error", () => undefined);
  const guarded = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: connections.options,
    connect: async () => {
      const client = await connections.connect();
      const known = guarded.get(client) ?? guard(client);
      guarded.set(client, known);
      return known;
    },
    end: () => connections.end(),
  };
}

/** An error that is not the server's own answer leaves the connection in an unknown state: the next would wait for this one's answer. */
function guard(client: pg.PoolClient): PostgresPoolClient {
  let broken = false;
  client.on("error", () => (broken = true));
  const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    try {
      return await client.query(text, valuesOf(parameters));
    } catch (error) {
      broken ||= !(error instanceof pg.DatabaseError);
      throw error;
    }
  };
  return {
    query: query as PostgresPoolClient["query"],
    release: (destroy) => client.release(broken || destroy === true),
  };
}
