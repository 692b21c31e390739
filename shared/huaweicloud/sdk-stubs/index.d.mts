import type { Plugin } from "esbuild";

export const SUBSTITUTES: Record<string, string>;
export const substitutes: Plugin;
export const substitutedSdk: { name: string; enforce: "pre"; load(id: string): Promise<string | undefined> };
