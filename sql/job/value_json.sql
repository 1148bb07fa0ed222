-- The value of a record in JSON, and whose it is.
v STRING,
customer AS JSON_VALUE(v, '$.customer_id')
