-- The truth that holds for each transaction: the highest revision, and of two with one revision the graver one, as in the
-- job: intervened, then fraud. What the job sets aside as malformed is not looked at.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`newest_truth`
COMMENT 'One row per transaction with a truth: the one that holds'
AS SELECT `transaction_id`, `label`, `revision`, `truth_time_ms`, `event_time_ms`, `customer_id`, `terminal_id`, `intervened`
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY `transaction_id`
    ORDER BY `revision` DESC, COALESCE(`intervened`, FALSE) DESC, `label` DESC, `truth_time_ms` DESC, `topic_offset`) AS place
  FROM `iceberg`.`weir`.`truths`
  WHERE `label` IN (0, 1) AND `revision` BETWEEN 0 AND 2147483647 AND `customer_id` <> ''
    AND `truth_time_ms` BETWEEN 0 AND `append_time_ms` + 86400000
    AND `event_time_ms` BETWEEN 0 AND `append_time_ms` + 86400000
)
WHERE place = 1
