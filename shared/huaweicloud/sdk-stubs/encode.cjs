// Encodes query strings for the SDK's signer. The signer's own code for this purpose takes 1.3 KB more. A property test compares
// the results with the unchanged signer.
const escapeCharacter = (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

/** Encodes a value by RFC 3986: escapes all characters except letters, digits, `-`, `.`, `_` and `~`. */
module.exports = (value) => encodeURIComponent(String(value)).replace(/[!'()*]/g, escapeCharacter);
