import { createHash } from "node:crypto";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

const sourceOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/**
 * Returns the Content-Security-Policy that the page itself states, so it also applies to a saved file. It allows the one style
 * sheet and the one script of the page, and no request to any address.
 */
export const pagePolicy = (): string =>
  `default-src 'none'; style-src ${sourceOf(STYLE)}; script-src ${sourceOf(SCRIPT)}; base-uri 'none'; form-action 'none'`;

/** Returns the Content-Security-Policy for the response header. In addition, no other page may show this page in a frame. */
export const headerPolicy = (): string => `${pagePolicy()}; frame-ancestors 'none'`;
