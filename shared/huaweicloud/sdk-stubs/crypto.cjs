// The SDK's signer creates an object for each hash, and 200 requests leave a megabyte of such objects in memory. Node 20.12 and
// later can hash without an object. A property test compares the signature with the unchanged signer.
const crypto = require("node:crypto");
const only = require("./only.cjs");

const { createHash, createHmac, hash } = crypto;

const hashOf = (algorithm) => ({
  update: (text) => ({ digest: (encoding) => hash(algorithm, text, encoding) }),
});

module.exports = only("crypto", { createHash: hash === undefined ? createHash : hashOf, createHmac });
