-- The truth that holds for each transaction: the highest revision, and of two with one revision the graver one, as in the
-- job: intervened, then fraud.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`newest_truth`
COMMENT 'One row per transaction with a truth: the one that holds'
AS SELECT `transaction_id`, `label`, `revision`, `truth_time_ms`, `event_time_ms`, `customer_id`, `terminal_id`, `intervened`
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY `transaction_id`
    ORDER BY `revision` DESC, COALESCE(`intervened`, FALSE) DESC, `label` DESC, `truth_time_ms` DESC, `topic_offset`) AS place
  FROM `iceberg`.`weir`.`taken_truth`
)
WHERE place = 1
