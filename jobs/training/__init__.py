"""Training versions and making them again: from examples to a registered version, and from its record back."""
