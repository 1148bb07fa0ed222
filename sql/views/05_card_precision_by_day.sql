-- Were the day's 100 most suspicious customers defrauded that day? A customer is as suspicious as the highest score of his
-- labelled transactions. Customers of whom a fraud was known before are not taken out, unlike in the handbook.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`card_precision_by_day`
COMMENT 'Card precision at 100 per version, role and day: the share of the 100 most suspicious customers with a fraud'
AS SELECT
  `model`, `version`, `role`, `event_date`, COUNT(*) AS looked_at, SUM(defrauded) AS defrauded,
  CAST(SUM(defrauded) AS DOUBLE) / COUNT(*) AS card_precision
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY `model`, `version`, `role`, `event_date` ORDER BY suspicion DESC, `customer_id`) AS place
  FROM (
    SELECT `model`, `version`, `role`, `event_date`, `customer_id`, MAX(`score`) AS suspicion, MAX(`label`) AS defrauded
    FROM `iceberg`.`weir`.`labelled_inferences`
    GROUP BY `model`, `version`, `role`, `event_date`, `customer_id`
  )
)
WHERE place <= 100
GROUP BY `model`, `version`, `role`, `event_date`
