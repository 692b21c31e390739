/** Returns a stub with the given members. Access to any other member throws, because the SDK then needs more than the stub has. */
module.exports = (what, members) =>
  new Proxy(members, {
    get(target, name) {
      if (name in target || typeof name === "symbol" || name === "__esModule" || name === "default")
        return target[name];
      const has = Object.keys(target).join(" and ") || "a call";
      throw new Error(`Expected the SDK to use only ${has} of ${what}, got ${what}.${name}.`);
    },
  });
