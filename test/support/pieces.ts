/**
 * Returns the 16-character pieces of a secret that a reader can recover from a text: directly, after joining lines and
 * removing escapes, or after decoding base64 and hex.
 */
export function piecesLeft(text: string, secret: string): string[] {
  const joined = text.replace(/&(?:amp;)*#13;&(?:amp;)*#10;|%0A|<br>|\\+[nrt]|=?[\r\n]+|\s/g, "");
  const unescaped = joined
    .replaceAll("\\u0026", "&")
    .replace(/%(?:25)*([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\+u00([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/&(?:amp;)*#(x?)([\da-f]+);/gi, (_, x, digits) =>
      String.fromCharCode(Number.parseInt(digits, x ? 16 : 10)),
    )
    .replaceAll("\\", "");
  const texts = [text, joined, unescaped];
  for (const [encoded] of unescaped.matchAll(/[\w+/-]{20,}/g)) {
    for (let offset = 0; offset < 4; offset += 1)
      texts.push(Buffer.from(encoded.slice(offset), "base64").toString("latin1"));
  }
  for (const [encoded] of unescaped.matchAll(/[\da-f]{32,}/gi)) {
    for (let offset = 0; offset < 2; offset += 1)
      texts.push(Buffer.from(encoded.slice(offset), "hex").toString("latin1"));
  }
  const pieces = Array.from({ length: Math.max(0, secret.length - 15) }, (_, start) => secret.slice(start, start + 16));
  return pieces.filter((piece) => texts.some((readable) => readable.includes(piece)));
}
