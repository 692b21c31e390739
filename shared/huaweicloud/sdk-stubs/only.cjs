/**
 * Creates a stub of an SDK dependency with the given members. Access to any other member throws an error, because the SDK then
 * needs a member that the stub does not have.
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
