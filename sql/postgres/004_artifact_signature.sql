-- Ed25519 over the digest, by who trained it (model_store/signature.py); the same in each part, NULL where nobody signed.

ALTER TABLE weir.model_artifact ADD COLUMN signature bytea CHECK (octet_length(signature) = 64);
