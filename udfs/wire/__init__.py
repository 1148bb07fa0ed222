"""How records are written to topics where the payload is binary."""
