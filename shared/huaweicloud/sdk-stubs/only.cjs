/**
 * Creates a stub of an SDK dependency with the given members. If the SDK uses any other member, the stub throws an error. A
 * new release of the SDK may need more members than the stub has.
 *
 * @param what the name of the replaced dependency, for the error message
 */
module.exports = (what, members) =>
  new Proxy(members, {
    get(target, name) {
      if (name in target || typeof name === "symbol" || name === "__esModule" || name === "default")
        return target[name];
      const allowed = Object.keys(target).join(" and ") || "a call";
      throw new Error(`Expected the SDK to use only ${allowed} of ${what}, got ${what}.${name}.`);
    },
  });
