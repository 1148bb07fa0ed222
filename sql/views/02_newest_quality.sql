-- The newest row of model_quality for each window: its highest revision.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`newest_quality`
COMMENT 'One row per version, role, series and window of model_quality: its highest revision'
AS SELECT *
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY `model`, `version`, `role`, `series`, `window`, `window_start_ms` ORDER BY `revision` DESC) AS place
  FROM `iceberg`.`weir`.`model_quality`
)
WHERE place = 1
