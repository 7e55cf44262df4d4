// @ts-check
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "jsdom",
    // One page for all files: jsdom takes most of the time to start.
    isolate: false,
    fileParallelism: false,
    include: ["*.test.js"],
    setupFiles: ["setup.js"],
    restoreMocks: true,
  },
});
