// The SDK's signer uses moment for one thing: moment().utcOffset(0).format("YYYYMMDDTHHmmss"), the time of the request.
// A property test holds this against moment itself.
const only = require("./only.cjs");

const check = (what, got, expected) => {
  if (got !== expected)
    throw new Error(`Expected ${what}(${expected ?? ""}) of the SDK's signer; ${what}(${got}) was reached.`);
};

module.exports = only("moment", (date) => {
  check("moment", date);
  return only("moment()", {
    utcOffset(minutes) {
      check("utcOffset", minutes, 0);
      return only("moment().utcOffset(0)", {
        format(pattern) {
          check("format", pattern, "YYYYMMDDTHHmmss");
          return new Date().toISOString().slice(0, 19).replace(/[-:]/g, "");
        },
      });
    },
  });
});
