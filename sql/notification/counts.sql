SELECT state, count(*) FROM weir.notification GROUP BY state
