// The SDK's signer splits a URL with url.parse, whose first call takes 0.8 ms. URLs of plain characters, as all of ours are,
// need no more than a pattern. A property test compares it with the signer as it is.
const only = require("./only.cjs");

const PLAIN = /^https?:\/\/([a-z0-9.-]+(?::\d+)?)(\/[\w./:-]*)?$/;

function parse(text, parseQuery) {
  const [, host, pathname = "/"] = PLAIN.exec(text) ?? [];
  return host === undefined ? require("node:url").parse(text, parseQuery) : { host, pathname };
}

module.exports = only("url", { parse });
