// Every name that ends in .test is this machine, and there are no others: a document or a context that
// would have to be fetched from the real network is not found, here as everywhere.

import dns from "node:dns";
import { isIP } from "node:net";

const real = dns.lookup;

dns.lookup = (name, options, callback) => {
  if (typeof options === "function") [options, callback] = [{}, options];
  if (isIP(name)) {
    real(name, options, callback);
  } else if (!name.endsWith(".test")) {
    callback(Object.assign(new Error(`${name} is not in this test`), { code: "ENOTFOUND" }));
  } else if (options.all) {
    callback(null, [{ address: "127.0.0.1", family: 4 }]);
  } else {
    callback(null, "127.0.0.1", 4);
  }
};
