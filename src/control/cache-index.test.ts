import { expect, it } from "vitest";
import type { ObjectMeta } from "../api/common.ts";
import { CacheIndex } from "./cache-index.ts";

interface Thing {
  readonly metadata: ObjectMeta;
  readonly on?: string;
}

/** A cache whose changes the test tells. */
function told() {
  const objects = new Map<string, Thing>();
  const listeners: ((object: Thing, deleted: boolean) => void)[] = [];
  const tell = (object: Thing, deleted = false) => {
    if (deleted) objects.delete(object.metadata.name);
    else objects.set(object.metadata.name, object);
    for (const listener of listeners) listener(object, deleted);
  };
  const cache = {
    list: () => [...objects.values()],
    onChange: (listener: (object: Thing, deleted: boolean) => void) => {
      listeners.push(listener);
      return () => {};
    },
  };
  return { cache, tell };
}
const thing = (name: string, on?: string, pop?: string): Thing => ({
  metadata: { name, namespace: "edge", uid: name, resourceVersion: "1", ...(pop === undefined ? {} : { labels: { pop } }) },
  ...(on === undefined ? {} : { on }),
});
const termsOf = ({ on, metadata }: Thing) => [...(on === undefined ? [] : [`on/${on}`]), ...Object.values(metadata.labels ?? {})];
const names = (things: readonly Thing[]) => things.map(({ metadata }) => metadata.name).toSorted();

it("finds what was there before it and what comes, under each of its terms, and once under several", () => {
  const { cache, tell } = told();
  tell(thing("a", "n1", "fra1"));
  const index = new CacheIndex(cache, termsOf);
  tell(thing("b", "n1"));
  tell(thing("c", "n2", "fra1"));
  tell(thing("d"));
  expect(names(index.find("on/n1"))).toEqual(["a", "b"]);
  expect(names(index.find("fra1"))).toEqual(["a", "c"]);
  expect(names(index.find("fra1", "on/n1"))).toEqual(["a", "b", "c"]);
  expect(index.find("on/n3")).toEqual([]);
  expect(index.find()).toEqual([]);
});

it("an object that changes is found under what it is now alone, and one that is gone under nothing", () => {
  const { cache, tell } = told();
  const index = new CacheIndex(cache, termsOf);
  tell(thing("a", undefined, "fra1"));
  tell(thing("a", "n1", "ams1"));
  expect([index.find("fra1"), names(index.find("ams1")), names(index.find("on/n1"))]).toEqual([[], ["a"], ["a"]]);
  tell(thing("a", "n1", "ams1"), true);
  expect([index.find("ams1"), index.find("on/n1")]).toEqual([[], []]);
});
