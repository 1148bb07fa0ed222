"""Ed25519 signatures of artifacts: who trained a version vouches for its bytes, and the gate takes no others.

What is signed is the artifact's digest, after words that keep the signature from being taken for one of something else.
The private key stays with who trains; the job knows public keys only, so who can write to the registry cannot sign.
"""

from __future__ import annotations

from model_store.reason import Reason
from udfs.domain.errors import ArtifactError, SettingsError

__all__ = ["check_signature", "sign_digest"]

PURPOSE = b"weir model artifact "


def sign_digest(private_key: str, digest: str) -> bytes:
    """Sign an artifact.

    Parameters
    ----------
    private_key
        An Ed25519 key without passphrase, PKCS 8 in PEM, as ``openssl genpkey -algorithm ed25519`` writes it.
    digest
        The artifact's sha256, hex.

    Raises
    ------
    SettingsError
        When the key is none.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        msg = "WEIR_SIGNING_KEY is no Ed25519 key without passphrase in PEM; openssl genpkey -algorithm ed25519 makes one."
        raise SettingsError(msg) from None  # the cause might show some of the key
    return key.sign(PURPOSE + digest.encode())


def check_signature(signature: bytes | None, digest: str, trusted_keys: str) -> None:
    """Do nothing when one of the keys signed this digest, or when no key is named at all.

    Parameters
    ----------
    signature
        As it came with the artifact's row; None where there was none.
    digest
        The artifact's sha256, hex.
    trusted_keys
        Public keys, 32 bytes in hex each, separated by commas; empty takes every artifact.

    Raises
    ------
    ArtifactError
        With the reason ``signature``.
    """
    keys = [key.strip() for key in trusted_keys.split(",") if key.strip()]
    if not keys:
        return
    if not signature:
        raise ArtifactError(Reason.SIGNATURE, "the artifact is not signed, and this job trusts signed ones only")
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, PURPOSE + digest.encode())
        except (InvalidSignature, ValueError):
            continue
        return
    raise ArtifactError(Reason.SIGNATURE, f"none of the {len(keys)} keys this job trusts made the signature")
