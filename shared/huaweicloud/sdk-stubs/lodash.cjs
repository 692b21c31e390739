// The SDK's signer uses one function of lodash: it sorts header names by their lower-case form (AKSKSigner.sign).
// A property test holds this against lodash itself.
const only = require("./only.cjs");

const sortBy = (items, by) =>
  items
    .map((item, index) => ({ item, index, rank: by(item) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.index - b.index))
    .map(({ item }) => item);

module.exports = only("lodash", { sortBy });
