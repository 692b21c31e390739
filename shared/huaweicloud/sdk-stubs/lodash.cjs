// Replaces the package lodash. The SDK's signer uses only sortBy, to sort header names by their lower-case form. A property test
// checks that the signatures are equal to the signatures of the unchanged signer.
const only = require("./only.cjs");

const sortBy = (items, rankOf) =>
  items
    .map((item, index) => ({ item, index, rank: rankOf(item) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.index - b.index))
    .map(({ item }) => item);

module.exports = only("lodash", { sortBy });
