// Replaces node:crypto in the SDK's signer. The signer creates an object for each hash, and the objects of 200 requests take a
// megabyte of memory. In Node.js 20.12 and later, the function crypto.hash needs no object. A property test checks that the
// signatures are equal to the signatures of the unchanged signer.
const crypto = require("node:crypto");
const only = require("./only.cjs");

const { createHash, createHmac, hash } = crypto;

const hashOf = (algorithm) => ({
  update: (text) => ({ digest: (encoding) => hash(algorithm, text, encoding) }),
});

module.exports = only("crypto", { createHash: hash === undefined ? createHash : hashOf, createHmac });
