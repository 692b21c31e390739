// The SDK's signer uses one function of lodash: it sorts header names by their lower-case form (AKSKSigner.sign).
// A property test holds this against lodash itself.
const sortBy = (items, by) =>
  items
    .map((item, index) => ({ item, index, rank: by(item) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.index - b.index))
    .map(({ item }) => item);

module.exports = new Proxy(
  { sortBy },
  {
    get(target, name) {
      if (name in target || typeof name === "symbol" || name === "__esModule" || name === "default")
        return target[name];
      throw new Error(
        `Expected only lodash.sortBy to be used by the SDK's signer; lodash.${String(name)} was reached.`,
      );
    },
    has: (target, name) => name in target,
  },
);
