// A peer that is not ours: people on Fedify, behind one HTTP or HTTPS socket. The test speaks to it over a
// second socket, one JSON object per POST: {"verb": …, …} → {"found": …} or {"error": …}.
//
//   node server.js PUBLIC_HOST PUBLIC_PORT   (CERTIFICATE, KEY and NODE_EXTRA_CA_CERTS by environment)
//
// It says on which port that second socket is, and ends with its standard input.

import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { createServer as createHttps } from "node:https";
import "./names.js";
import { configure, getConsoleSink } from "@logtape/logtape";
import { World } from "./world.js";
import { signatures } from "./signatures.js";
import { verbs } from "./verbs.js";

const [host, port] = process.argv.slice(2);
let world = null;
let open = null;

await configure({
  contextLocalStorage: new AsyncLocalStorage(),
  sinks: { console: getConsoleSink() },
  loggers: [
    { category: "fedify", sinks: ["console"], lowestLevel: "info" },
    { category: ["logtape", "meta"], sinks: ["console"], lowestLevel: "warning" },
  ],
});

async function body(incoming) {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  return Buffer.concat(parts);
}

async function answer(incoming, outgoing) {
  const bytes = await body(incoming);
  const request = new Request(`${world.origin}${incoming.url}`, {
    method: incoming.method,
    headers: Object.entries(incoming.headers).filter(([, value]) => typeof value === "string"),
    body: ["GET", "HEAD"].includes(incoming.method) ? undefined : bytes,
  });
  let response;
  try {
    response = await world.answer(request);
  } catch (error) {
    console.error(error);
    response = new Response(String(error), { status: 500 });
  }
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

async function reset({ scheme, ...options }) {
  if (open !== null) {
    open.closeAllConnections();
    await new Promise((done) => open.close(done));
  }
  world = new World(`${scheme}://${host}:${port}`, options);
  open = scheme === "https"
    ? createHttps({ cert: readFileSync(process.env.CERTIFICATE), key: readFileSync(process.env.KEY) }, answer)
    : createHttp(answer);
  await new Promise((done) => open.listen(Number(port), "127.0.0.1", done));
  return world.origin;
}

const known = {
  reset,
  ...signatures,
};

const control = createHttp(async (incoming, outgoing) => {
  const { verb, ...options } = JSON.parse(await body(incoming));
  let reply;
  try {
    const found = verb in known ? await known[verb](options) : await verbs[verb](world, options);
    reply = { found: found ?? null };
  } catch (error) {
    console.error(error);
    reply = { error: `${error?.stack ?? error}` };
  }
  outgoing.writeHead(200, { "content-type": "application/json" });
  outgoing.end(JSON.stringify(reply));
});
control.listen(0, "127.0.0.1", () => console.log(`control port ${control.address().port}`));
process.stdin.on("close", () => process.exit()).resume();
