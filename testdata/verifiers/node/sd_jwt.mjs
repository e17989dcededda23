// Our tokens against npm @sd-jwt/core (OpenWallet Foundation).
//
//     sd_jwt.mjs read VECTORS.json    verifies our tokens; says which of the refused ones it accepts
//     sd_jwt.mjs issue OUT.json       issues tokens of many shapes, with the claims it finds in them
//
// The packages are in target/verifiers/node of the repository.

import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";

const root = new URL("../../../", import.meta.url);
const { SDJwtInstance } = createRequire(new URL("target/verifiers/node/", root))("@sd-jwt/core");

const hasher = (data, algorithm) =>
  new Uint8Array(crypto.createHash(algorithm.replace("-", "")).update(typeof data === "string" ? data : Buffer.from(data)).digest());
const verifierOf = (key) => (data, signature) =>
  crypto.verify(null, Buffer.from(data), key, Buffer.from(signature, "base64url"));
const signerOf = (key) => (data) => crypto.sign(null, Buffer.from(data), key).toString("base64url");

function instance(key, more = {}) {
  return new SDJwtInstance({
    verifier: verifierOf(key),
    kbVerifier: async (data, signature, payload) =>
      verifierOf(crypto.createPublicKey({ key: payload.cnf.jwk, format: "jwk" }))(data, signature),
    hasher,
    hashAlg: "sha-256",
    saltGenerator: async (length) => crypto.randomBytes(length).toString("base64url"),
    signAlg: "EdDSA",
    kbSignAlg: "EdDSA",
    ...more,
  });
}

async function claims(key, token, nonce) {
  const reader = instance(key);
  const options = { currentDate: 1709805600, ...(nonce ? { keyBindingNonce: nonce } : {}) };
  await reader.verify(token, options);
  return reader.getClaims(token);
}

async function read(path) {
  const vectors = JSON.parse(fs.readFileSync(path, "utf8"));
  const key = crypto.createPublicKey({ key: vectors.issuer.jwk, format: "jwk" });
  for (const vector of [...vectors.releases, ...vectors.general]) {
    assert.deepEqual(await claims(key, vector.token, vector.nonce), vector.claims, vector.name);
    console.log(`@sd-jwt reads ${vector.name}`);
  }
  for (const vector of vectors.refused) {
    try {
      await claims(key, vector.token);
      console.log(`@sd-jwt accepts what must be refused: ${vector.name}`);
    } catch {
      // refused, as it should be
    }
  }
}

// Name, claims, which of them are selectively disclosable, which are shown.
const CASES = [
  ["no_sd", { a: 1 }, undefined, undefined],
  ["flat", { a: 1, b: "two", c: null }, { _sd: ["a", "b"] }, { a: true }],
  ["all_shown", { a: 1, b: "two" }, { _sd: ["a", "b"] }, { a: true, b: true }],
  ["none_shown", { a: 1, b: "two" }, { _sd: ["a", "b"] }, {}],
  ["decoys", { a: 1, b: 2 }, { _sd: ["a"], _sd_decoy: 5 }, { a: true }],
  ["decoys_within", { o: { a: 1, b: 2 } }, { o: { _sd: ["a"], _sd_decoy: 3 } }, { o: { a: true } }],
  ["structured", { o: { a: 1, b: 2, c: 3 } }, { o: { _sd: ["a", "b"] } }, { o: { b: true } }],
  ["recursive", { o: { a: { b: 1 } } }, { _sd: ["o"], o: { _sd: ["a"], a: { _sd: ["b"] } } }, { o: { a: { b: true } } }],
  ["recursive_coarse", { o: { a: 1, x: 1 } }, { _sd: ["o"], o: { _sd: ["a"] } }, { o: true }],
  ["array", { l: ["a", "b", "c"] }, { l: { _sd: [0, 2] } }, { l: { 0: true } }],
  ["array_none", { l: ["a", "b"] }, { l: { _sd: [0, 1] } }, {}],
  ["array_full", { l: ["a", "b"] }, { _sd: ["l"], l: { _sd: [0, 1] } }, { l: { 1: true } }],
  ["array_objects", { l: [{ a: 1 }, { b: 2 }] }, { l: { _sd: [0], 1: { _sd: ["b"] } } }, { l: { 0: true, 1: { b: true } } }],
  ["array_decoys", { l: ["a", "b"] }, { l: { _sd: [0], _sd_decoy: 2 } }, { l: { 0: true } }],
  ["types", { n: null, i: -1, f: 0.5, t: true, s: 'Möbius "\\\u2028😀', e: {}, l: [] }, { _sd: ["n", "i", "f", "t", "s", "e", "l"] }, { n: true, i: true, f: true, t: true, s: true, e: true, l: true }],
  ["key_binding", { a: 1 }, { _sd: ["a"] }, { a: true }, true],
];

async function issue(path) {
  const issuer = crypto.generateKeyPairSync("ed25519");
  const holder = crypto.generateKeyPairSync("ed25519");
  const typ = "example+sd-jwt";
  const cases = [];
  for (const [name, payload, frame, shown, bound] of CASES) {
    const desk = instance(issuer.publicKey, { signer: signerOf(issuer.privateKey), kbSigner: signerOf(holder.privateKey) });
    const cnf = bound ? { cnf: { jwk: holder.publicKey.export({ format: "jwk" }) } } : {};
    const whole = { iss: "https://issuer.example", iat: 1700000000, ...payload, ...cnf };
    const token = await desk.issue(whole, frame, { header: { typ } });
    const [nonce, aud] = ["1234567890", "https://verifier.example"];
    const presented = await desk.present(token, shown ?? {}, bound ? { kb: { payload: { iat: 1700000000, aud, nonce } } } : undefined);
    const found = await claims(issuer.publicKey, presented, bound ? nonce : undefined);
    cases.push({ name, typ, token: presented, claims: found, ...(bound ? { nonce, aud } : {}) });
  }
  fs.writeFileSync(path, JSON.stringify({ jwk: issuer.publicKey.export({ format: "jwk" }), cases }));
  console.log(`@sd-jwt issued ${cases.length} tokens`);
}

await { read, issue }[process.argv[2]](process.argv[3]);
