"""Reads an access token as a service in Python would that has nothing of Souk but its address: with PyJWT, by the published
keys. Fails when the token is refused, or taken for another audience.

usage: TOKEN=.. python tokens.py <base address>
"""

import os
import sys

import jwt

token = os.environ["TOKEN"]
keys = jwt.PyJWKClient(f"{sys.argv[1]}/.well-known/jwks.json")
key = keys.get_signing_key_from_jwt(token)
issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
required = {"require": ["sub", "sid", "jti", "iat", "exp"]}

said = jwt.decode(token, key, algorithms=["EdDSA"], audience="souk", issuer=issuer, options=required)
try:
    jwt.decode(token, key, algorithms=["EdDSA"], audience="somebody else", issuer=issuer)
except jwt.InvalidAudienceError:
    print(f"PyJWT {jwt.__version__}: token of {said['sub']} verified by key {key.key_id}; for another audience it is refused")
else:
    sys.exit("PyJWT took the token for another audience")
