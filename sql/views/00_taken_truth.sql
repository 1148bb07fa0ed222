-- The truths the job took: those of which no dead letter tells. A truth it could not read, or that cannot count (too late, of
-- a lower revision than one that came before), counts nowhere; the verdict is the job's own, never made a second time here.
-- What is null the job refuses; until its dead letter is here, such a row must not hide another.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`taken_truth`
COMMENT 'One row per truth that the scoring job took: those without a dead letter'
AS SELECT *
FROM `iceberg`.`weir`.`truths` AS t
WHERE t.`label` IS NOT NULL AND t.`revision` IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM `iceberg`.`weir`.`dead_letters` AS d
  WHERE d.`topic` = 'truths' AND d.`partition` = t.`topic_partition` AND d.`offset` = t.`topic_offset`)
