import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silent } from "../control-plane/progress.ts";
import { ensureImageTools, findImageTools, ImageToolsUnavailable, whyNoImage } from "./install.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rollward-image-tools-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test("an empty cache has nothing to build an image with, and looking installs nothing", () => {
  expect(findImageTools({ root })).toBeUndefined();
});

test("where Debian's packages are not to be had the sentence says so", async ({ skip }) => {
  skip(whyNoImage() !== undefined, "another reason comes first here");
  const attempt = ensureImageTools({ root, env: { PATH: join(root, "empty") }, progress: silent });
  await expect(attempt).rejects.toThrow(ImageToolsUnavailable);
  await expect(attempt).rejects.toThrow("No image is built here, because Debian's packages for it are not to be had: ");
  expect(findImageTools({ root })).toBeUndefined();
});
