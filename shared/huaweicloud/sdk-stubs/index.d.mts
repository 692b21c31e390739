import type { Plugin } from "esbuild";

export const STUBBED_PACKAGES: Record<string, string>;
export const sdkStubs: Plugin;
export const stubbedSdk: { name: string; enforce: "pre"; load(id: string): Promise<string | undefined> };
