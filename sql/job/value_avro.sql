-- The value of a record in Avro: its columns, the JSON that the stages read, and whose it is.
{{columns}},
v AS {{message}},
customer AS customer_id
