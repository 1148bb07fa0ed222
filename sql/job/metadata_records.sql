-- Registry rows for the gate, all under one key: there is one gate, and the topic's one partition is commit order.
SELECT 'gate' AS k, ROW(v, p, o, append_ms) AS record FROM `weir.metadata`
