"""The local stack: one small module per component, and the supervisor that keeps them running."""
