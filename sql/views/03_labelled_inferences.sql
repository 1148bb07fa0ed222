-- Each score whose transaction has a truth, as the job counts it: not what the version was trained on, and not what was
-- blocked, because the label of a blocked transaction is not comparable.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`labelled_inferences`
COMMENT 'One row per scored inference with a truth, without excluded and intervened ones'
AS SELECT
  i.`transaction_id`, i.`event_time_ms`, i.`event_date`, i.`model`, i.`version`, i.`role`, i.`digest`, i.`score`, i.`features`,
  i.`source_partition`, i.`source_offset`, t.`label`, t.`revision`, t.`truth_time_ms`, t.`customer_id`, t.`terminal_id`
FROM `iceberg`.`weir`.`inferences` AS i
JOIN `iceberg`.`weir`.`newest_truth` AS t ON i.`transaction_id` = t.`transaction_id`
WHERE i.`score` IS NOT NULL AND NOT COALESCE(i.`excluded`, FALSE) AND NOT COALESCE(t.`intervened`, FALSE)
