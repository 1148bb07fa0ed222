"""The registry's tables in PostgreSQL: their migrations and the rows in them."""
