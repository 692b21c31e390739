// The SDK's signer uses one function of lodash to sort header names by their lower-case form. A property test compares the
// signature with the unchanged signer.
const only = require("./only.cjs");

const sortBy = (items, by) =>
  items
    .map((item, index) => ({ item, index, rank: by(item) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.index - b.index))
    .map(({ item }) => item);

module.exports = only("lodash", { sortBy });
