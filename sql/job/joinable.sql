-- What the truth join is told: predictions of the score stage and truths of the customer stage, by shard of the transaction.
CREATE TEMPORARY VIEW joinable AS
SELECT k, v, proctime FROM scored
UNION ALL
SELECT k, v, proctime FROM told
