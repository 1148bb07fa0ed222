from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from model_store.gate import Gate
from model_store.signature import check_signature, sign_digest
from udfs.domain.errors import ArtifactError, SettingsError
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.metadata import Activation, ArtifactPart

DIGEST = hashlib.sha256(b"artifact").hexdigest()
OURS, THEIRS = (Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)) for number in (1, 2))


def pem(key: Ed25519PrivateKey | X25519PrivateKey, passphrase: bytes | None = None) -> str:
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def test_what_one_of_the_trusted_keys_signed_is_taken():
    signature = sign_digest(pem(OURS), DIGEST)
    assert len(signature) == 64
    check_signature(signature, DIGEST, public(OURS))
    check_signature(signature, DIGEST, f"{public(THEIRS)},{public(OURS)}")


def test_without_trusted_keys_everything_is_taken():
    check_signature(None, DIGEST, "")
    check_signature(b"nonsense", DIGEST, " ")


@pytest.mark.parametrize(
    "signature",
    [
        None,
        b"",
        b"short",
        bytes(64),
        sign_digest(pem(THEIRS), DIGEST),
        sign_digest(pem(OURS), hashlib.sha256(b"another").hexdigest()),
        OURS.sign(DIGEST.encode()),  # a signature of the same words, given for something else
    ],
)
def test_any_other_signature_is_refused_with_its_reason(signature):
    with pytest.raises(ArtifactError) as refused:
        check_signature(signature, DIGEST, public(OURS))
    assert refused.value.reason == "signature"


def test_every_bit_of_a_signature_counts():
    signature = sign_digest(pem(OURS), DIGEST)
    for bit in range(0, 512, 7):
        bent = bytearray(signature)
        bent[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ArtifactError):
            check_signature(bytes(bent), DIGEST, public(OURS))


@pytest.mark.parametrize("key", ["", "hush", pem(X25519PrivateKey.generate()), pem(OURS, b"passphrase")])
def test_a_key_of_another_kind_is_refused_and_not_shown(key):
    with pytest.raises(SettingsError, match="no Ed25519 key") as refused:
        sign_digest(key, DIGEST)
    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_the_gate_asks_for_the_signature_before_it_opens_the_artifact():
    def admit(data, digest, *, feature_sets):
        opened.append(digest)

    opened: list[str] = []
    gate = Gate(
        {}, model="fraud", feature_sets=FeatureCatalog(), admit=admit, patience_ms=1_000, trusted_keys=public(OURS)
    )
    said = []
    for sequence, (data, key) in enumerate(((b"unsigned", None), (b"theirs", THEIRS), (b"ours", OURS)), start=1):
        digest = hashlib.sha256(data).hexdigest()
        signature = None if key is None else sign_digest(pem(key), digest)
        gate.part_arrived(ArtifactPart(digest, 0, 1, data, signature))
        activation = Activation(sequence, "fraud", "champion", str(sequence), digest, None, 0, retired=False)
        (event,) = gate.activation_arrived(activation, 0).events
        said.append((event.event, (event.reason or "").partition(":")[0]))
    assert said == [("rejected", "signature"), ("rejected", "signature"), ("activated", "")]
    assert opened == [hashlib.sha256(b"ours").hexdigest()]
