import type { PopCluster } from "../../../api/pop-cluster.ts";
import type { Draft } from "../../../control/ports.ts";
import { type ServingSummary, ServingWatcher } from "../../../simulation/load/watch-serving.ts";
import type { CastPop } from "../cast.ts";
import type { Narrator } from "../narrator.ts";
import { Play } from "../play.ts";
import type { DemoNodes } from "../ports.ts";
import type { Stage } from "../stage.ts";
import { REAL_POP, REAL_VERSIONS, realDraft, type RealVersions } from "./cast.ts";

const HTTP_PORT = 8080;
const WATCH_EVERY_MILLISECONDS = 200;

/** The first act on real nodes: the same words, and witnesses of whom the operator knows nothing. */
export class RealPlay extends Play<RealVersions> {
  /** The nodes as they are, past the API server. */
  readonly witnesses: DemoNodes;
  readonly #watching = new AbortController();
  #watch: Promise<ServingSummary> | undefined;
  /** What the watch saw, once it has ended. */
  watched: ServingSummary | undefined;

  constructor(stage: Stage, narrator: Narrator, witnesses: DemoNodes) {
    super(stage, REAL_VERSIONS, narrator, [REAL_POP]);
    this.witnesses = witnesses;
    this.told.source = "the API server and its audit log, the nodes' kubelets and containerd, the nodes themselves and their users";
  }

  protected override draft(pop: CastPop, version: string): Draft<PopCluster> {
    return realDraft(pop, version, this.stage.tempo);
  }

  /** From here on each node is asked five times a second whether it serves. */
  watchNodes(): void {
    const { directory, doorOf } = this.witnesses;
    const watcher = new ServingWatcher(
      () => Promise.resolve(directory),
      HTTP_PORT,
      () => {},
      doorOf,
    );
    this.#watch = watcher.run(WATCH_EVERY_MILLISECONDS, this.#watching.signal);
  }

  async endWatch(): Promise<void> {
    this.#watching.abort();
    this.watched = await this.#watch;
  }

  override close(): void {
    this.#watching.abort();
    super.close();
  }
}
