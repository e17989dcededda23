"""Our tokens against PyPI `sd-jwt`, the reference implementation of RFC 9901.

    sd_jwt_reference.py read VECTORS.json    verifies our tokens; says which of the refused ones it accepts
    sd_jwt_reference.py issue OUT.json       issues tokens of many shapes, with the claims it finds in them
"""

import json
import sys

import sd_jwt.holder
import sd_jwt.verifier
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

# The key binding's algorithm cannot be passed in; it is a constant of each module.
sd_jwt.holder.DEFAULT_SIGNING_ALG = "EdDSA"
sd_jwt.verifier.DEFAULT_SIGNING_ALG = "EdDSA"


def claims(token, key, aud=None, nonce=None):
    """What the reference finds in a token; it raises if the token is not good."""
    return SDJWTVerifier(token, lambda issuer, header: key, aud, nonce).get_verified_payload()


def read(path):
    with open(path) as file:
        vectors = json.load(file)
    key = JWK(**vectors["issuer"]["jwk"])
    for vector in vectors["releases"] + vectors["general"]:
        found = claims(vector["token"], key, vector.get("aud"), vector.get("nonce"))
        assert found == vector["claims"], (vector["name"], found)
        print(f"sd-jwt reads {vector['name']}")
    for vector in vectors["refused"]:
        try:
            claims(vector["token"], key)
            print(f"sd-jwt accepts what must be refused: {vector['name']}")
        except Exception:
            pass


SD = SDObj

# Name, claims, what to disclose, options.
CASES = [
    ("no_sd", {"a": 1}, {}, {}),
    ("flat", {SD("a"): 1, SD("b"): "two", "c": None}, {"a": True}, {}),
    ("all_shown", {SD("a"): 1, SD("b"): "two"}, True, {}),
    ("none_shown", {SD("a"): 1, SD("b"): "two"}, {}, {}),
    ("decoys", {SD("a"): 1, "o": {SD("b"): 2}}, {"a": True, "o": {"b": True}}, {"add_decoy_claims": True}),
    ("structured", {"o": {SD("a"): 1, SD("b"): 2, "c": 3}}, {"o": {"b": True}}, {}),
    ("recursive", {SD("o"): {SD("a"): {SD("b"): 1}}}, {"o": {"a": {"b": True}}}, {}),
    ("recursive_coarse", {SD("o"): {SD("a"): {SD("b"): 1}, "x": 1}}, {"o": True}, {}),
    ("array", {"l": [SD("a"), "b", SD("c")]}, {"l": [True, False, False]}, {}),
    ("array_none", {"l": [SD("a"), SD("b")]}, {}, {}),
    ("array_full", {SD("l"): [SD("a"), SD("b")]}, {"l": [False, True]}, {}),
    ("array_nested", {"l": [[SD("a"), "b"], [SD("c")]]}, {"l": [[True, False], [False]]}, {}),
    ("array_objects", {"l": [SD({"a": 1}), {SD("b"): 2}]}, {"l": [True, {"b": True}]}, {}),
    ("array_nulls", {"l": [None, SD(None), SD(None), None]}, {"l": [False, True, False, False]}, {}),
    ("types", {SD("n"): None, SD("i"): -1, SD("f"): 0.5, SD("t"): True, SD("s"): "Möbius \"\\\u2028😀", SD("e"): {}, SD("l"): []},
     {"n": True, "i": True, "f": True, "t": True, "s": True, "e": True, "l": True}, {}),
    ("key_binding", {SD("a"): 1}, {"a": True}, {"bound": True}),
    ("key_binding_alone", {"a": 1}, {}, {"bound": True}),
]


def issue(path):
    key = JWK.generate(kty="OKP", crv="Ed25519")
    holder = JWK.generate(kty="OKP", crv="Ed25519")
    cases = []
    for name, payload, disclose, options in CASES:
        bound = options.get("bound", False)
        issuer = SDJWTIssuer(
            {"iss": "https://issuer.example", "exp": 1883000000, **payload},
            key,
            holder if bound else None,
            sign_alg="EdDSA",
            add_decoy_claims=options.get("add_decoy_claims", False),
        )
        held = SDJWTHolder(issuer.sd_jwt_issuance)
        nonce, aud = ("1234567890", "https://verifier.example") if bound else (None, None)
        held.create_presentation(disclose, nonce, aud, holder if bound else None, "EdDSA" if bound else None)
        token = held.sd_jwt_presentation
        case = {"name": name, "typ": "example+sd-jwt", "token": token, "claims": claims(token, key, aud, nonce)}
        if bound:
            case.update(nonce=nonce, aud=aud)
        cases.append(case)
    with open(path, "w") as file:
        json.dump({"jwk": key.export_public(as_dict=True), "cases": cases}, file)
    print(f"sd-jwt issued {len(cases)} tokens")


if __name__ == "__main__":
    {"read": read, "issue": issue}[sys.argv[1]](sys.argv[2])
