/** An object of which nothing is used but what it has: anything else that the SDK reaches for is an error at once. */
module.exports = (what, members) =>
  new Proxy(members, {
    get(target, name) {
      if (name in target || typeof name === "symbol" || name === "__esModule" || name === "default")
        return target[name];
      const has = Object.keys(target).join(" and ") || "a call";
      throw new Error(`Expected the SDK to use of ${what} only ${has}; ${what}.${name} was reached.`);
    },
  });
