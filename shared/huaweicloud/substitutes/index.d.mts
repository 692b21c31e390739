import type { Plugin } from "esbuild";

export const SUBSTITUTES: Record<string, string>;
export const substitutes: Plugin;
