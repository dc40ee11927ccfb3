// Fedify's own signing and verifying of requests, for a test to hold ours against.

import { createPrivateKey } from "node:crypto";
import { signRequest, verifyRequestDetailed } from "@fedify/fedify";
import { getDocumentLoader } from "@fedify/vocab-runtime";

const contextLoader = getDocumentLoader();

/** Answers with the given documents, by address without fragment, and with nothing else. */
function loader(documents) {
  return async (url) => {
    const document = documents[url.split("#")[0]];
    if (document === undefined) throw new Error(`${url} is not in this test`);
    return { contextUrl: null, document, documentUrl: url };
  };
}

function request({ method, url, headers, body }) {
  return new Request(url, {
    method,
    headers,
    body: body === null ? undefined : Buffer.from(body, "base64"),
  });
}

async function privateKey(pem) {
  const key = createPrivateKey(pem);
  const algorithm = key.asymmetricKeyType === "ed25519"
    ? { name: "Ed25519" }
    : { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const bytes = key.export({ type: "pkcs8", format: "der" });
  return await crypto.subtle.importKey("pkcs8", bytes, algorithm, true, ["sign"]);
}

const SPECS = { cavage: "draft-cavage-http-signatures-12", rfc9421: "rfc9421" };

export const signatures = {
  /** Whether a request is verified with the keys in `documents`: the key's id, or null. */
  async verify({ style, documents, ...parts }) {
    const found = await verifyRequestDetailed(request(parts), {
      documentLoader: loader(documents),
      contextLoader,
      spec: SPECS[style],
    });
    return found.verified ? found.key.id.href : null;
  },

  /** The headers of a request, signed by Fedify. */
  async sign({ style, pem, keyId, ...parts }) {
    const unsigned = request(parts);
    const bytes = parts.body === null ? null : await unsigned.clone().arrayBuffer();
    const signed = await signRequest(unsigned, await privateKey(pem), new URL(keyId), {
      spec: SPECS[style],
      body: bytes,
    });
    return Object.fromEntries(signed.headers);
  },
};
