"""An organisation's keys: made, published in the directory, held in a file by the deployment that speaks for it.

Private file: `{"organisation": id, "keys": [JWK with d, kid, use, alg, valid_from, valid_until]}`; the public half is
the JWKS that the directory lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import ECKey, OKPKey

from dataexchange.domain import instants, jose
from dataexchange.domain.directory import KeyEntry
from dataexchange.domain.package.building import SigningKey
from dataexchange.domain.refusals import Code, Refusal

PRIVATE_MEMBERS = frozenset({"d"})


@dataclass(frozen=True)
class OwnKeys:
    """The private keys of one organisation this deployment speaks for."""

    organisation: str
    signing: Mapping[str, tuple[ECKey | OKPKey, KeyEntry]]
    opening: Mapping[str, ECKey]

    def signing_key(self, at: datetime) -> SigningKey:
        """Of the keys valid now, the one that lasts longest. Raises: Refusal."""
        usable = [
            (entry.valid_until, kid, key) for kid, (key, entry) in self.signing.items() if entry.fault(at) is None
        ]
        if not usable:
            raise Refusal(Code.KEY_EXPIRED, self.organisation)
        _, kid, key = max(usable, key=lambda item: item[:2])
        return SigningKey(kid, key)


def generate(organisation: str, at: datetime, lasts: timedelta, signing: str = "ES256") -> dict[str, Any]:
    """A new private key file: one `sig` and one `enc` key. `signing`: ES256 or EdDSA."""
    span = {"valid_from": instants.to_text(at), "valid_until": instants.to_text(at + lasts)}
    pair: ECKey | OKPKey = ECKey.generate_key("P-256") if signing == "ES256" else OKPKey.generate_key("Ed25519")
    made: list[dict[str, Any]] = []
    for key, use, alg in ((pair, "sig", signing), (ECKey.generate_key("P-256"), "enc", jose.SEALING_KEY)):
        material = {
            name: value for name, value in key.as_dict(private=True).items() if name in {"kty", "crv", "x", "y", "d"}
        }
        made.append(
            {**material, "kid": f"{organisation}#{use}-{key.thumbprint()[:16]}", "use": use, "alg": alg, **span}
        )
    return {"organisation": organisation, "keys": made}


def public_half(private: Mapping[str, Any]) -> dict[str, Any]:
    """The JWKS for the directory."""
    keys = [{k: v for k, v in key.items() if k not in PRIVATE_MEMBERS} for key in private["keys"]]
    return {"keys": keys}


def load(private: Mapping[str, Any]) -> OwnKeys:
    """Raises: Refusal or pydantic.ValidationError for an unreadable file."""
    signing: dict[str, tuple[ECKey | OKPKey, KeyEntry]] = {}
    opening: dict[str, ECKey] = {}
    for jwk in private["keys"]:
        entry = KeyEntry.model_validate({k: v for k, v in jwk.items() if k not in PRIVATE_MEMBERS})
        key = jose.key_object(jwk)
        if not key.is_private:
            raise Refusal(Code.KEY_UNKNOWN, f"{entry.kid}: no private part")
        if entry.use == "sig":
            signing[entry.kid] = (key, entry)
        elif isinstance(key, ECKey):
            opening[entry.kid] = key
    return OwnKeys(str(private["organisation"]), signing, opening)
