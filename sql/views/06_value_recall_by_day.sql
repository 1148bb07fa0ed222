-- Of the money in frauds, how much was alerted on: a large fraud missed weighs more than a small one. Alerts are the
-- champion's; of one that came twice only the first counts. Amounts are those of the transactions.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`value_recall_by_day`
COMMENT 'Value-weighted recall of the champion per day: the share of the amount of all frauds that was alerted on'
AS SELECT
  i.`model`, i.`version`, i.`event_date`,
  COUNT(*) AS frauds, COUNT(a.`transaction_id`) AS frauds_alerted,
  SUM(t.`amount`) AS fraud_value,
  SUM(CASE WHEN a.`transaction_id` IS NULL THEN 0 ELSE t.`amount` END) AS fraud_value_alerted,
  SUM(CASE WHEN a.`transaction_id` IS NULL THEN 0 ELSE t.`amount` END) / NULLIF(SUM(t.`amount`), 0) AS value_recall
FROM `iceberg`.`weir`.`labelled_inferences` AS i
JOIN `iceberg`.`weir`.`transactions` AS t
  ON i.`source_partition` = t.`topic_partition` AND i.`source_offset` = t.`topic_offset`
LEFT JOIN (SELECT DISTINCT `transaction_id` FROM `iceberg`.`weir`.`alerts`) AS a ON i.`transaction_id` = a.`transaction_id`
WHERE i.`role` = 'champion' AND i.`label` = 1
GROUP BY i.`model`, i.`version`, i.`event_date`
