-- How far each feature has moved from training: the population stability index over the bins of training_edges. Below 0.1
-- is steady, above 0.25 is a shift. A bin without a value counts as one in ten thousand.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`drift_by_day`
COMMENT 'Population stability index per feature and day against training_features'
AS WITH binned AS (
  SELECT v.`name`, v.`event_date`, v.`training`,
    IF(v.`value` > e.edges[1], 1, 0) + IF(v.`value` > e.edges[2], 1, 0) + IF(v.`value` > e.edges[3], 1, 0) + IF(v.`value` > e.edges[4], 1, 0) + IF(v.`value` > e.edges[5], 1, 0)
      + IF(v.`value` > e.edges[6], 1, 0) + IF(v.`value` > e.edges[7], 1, 0) + IF(v.`value` > e.edges[8], 1, 0) + IF(v.`value` > e.edges[9], 1, 0) AS bin
  FROM (
    SELECT f.`name`, f.`value`, i.`event_date`, FALSE AS `training`
    FROM `iceberg`.`weir`.`inferences` AS i CROSS JOIN UNNEST(i.`features`) AS f (`name`, `value`)
    WHERE i.`role` = 'champion' AND f.`value` IS NOT NULL
    UNION ALL
    SELECT `name`, `value`, CAST(NULL AS DATE) AS `event_date`, TRUE AS `training`
    FROM `iceberg`.`weir`.`training_features`
  ) AS v
  JOIN `iceberg`.`weir`.`training_edges` AS e ON v.`name` = e.`name`
),
counted AS (
  SELECT `name`, `event_date`, `training`, bin, COUNT(*) AS number FROM binned GROUP BY `name`, `event_date`, `training`, bin
),
totals AS (
  SELECT `name`, `event_date`, `training`, SUM(number) AS total FROM counted GROUP BY `name`, `event_date`, `training`
),
shares AS (
  SELECT d.`name`, d.`event_date`, d.total,
    GREATEST(CAST(COALESCE(s.number, 0) AS DOUBLE) / d.total, 1e-4) AS share,
    GREATEST(CAST(COALESCE(x.number, 0) AS DOUBLE) / t.total, 1e-4) AS expected
  FROM totals AS d
  CROSS JOIN (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS b (bin)
  JOIN totals AS t ON t.`name` = d.`name` AND t.`training`
  LEFT JOIN counted AS s ON s.`name` = d.`name` AND s.`event_date` = d.`event_date` AND s.bin = b.bin AND NOT s.`training`
  LEFT JOIN counted AS x ON x.`name` = d.`name` AND x.bin = b.bin AND x.`training`
  WHERE NOT d.`training`
)
SELECT `name`, `event_date`, MAX(total) AS transactions, SUM((share - expected) * LN(share / expected)) AS psi
FROM shares
GROUP BY `name`, `event_date`
