-- ROC AUC of each version on each day of event time, ranked here from scores and truths, not read from model_quality: the
-- share of pairs of a fraud and a genuine transaction in which the fraud has the higher score, ties counting one half.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`roc_auc_by_day`
COMMENT 'Mann-Whitney ROC AUC per version, role and day; null where a class is missing'
AS SELECT
  `model`, `version`, `role`, `event_date`,
  SUM(positives) AS positives,
  SUM(negatives) AS negatives,
  SUM(CAST(positives AS DOUBLE) * (negatives_to_here - negatives / 2.0e0))
    / NULLIF(CAST(SUM(positives) AS DOUBLE) * SUM(negatives), 0) AS roc_auc
FROM (
  SELECT *, SUM(negatives) OVER (
    PARTITION BY `model`, `version`, `role`, `event_date` ORDER BY `score`
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS negatives_to_here
  FROM (
    SELECT `model`, `version`, `role`, `event_date`, `score`,
      SUM(CAST(`label` AS BIGINT)) AS positives,
      SUM(CAST(1 - `label` AS BIGINT)) AS negatives
    FROM `iceberg`.`weir`.`labelled_inferences`
    GROUP BY `model`, `version`, `role`, `event_date`, `score`
  )
)
GROUP BY `model`, `version`, `role`, `event_date`
