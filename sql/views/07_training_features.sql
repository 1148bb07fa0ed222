-- What the features looked like in training: {{what}}.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`training_features`
COMMENT 'Feature values of champion inferences in the training snapshot, one row each'
AS SELECT f.`name`, f.`value`
FROM `iceberg`.`weir`.`inferences` {{snapshot}} AS i
CROSS JOIN UNNEST(i.`features`) AS f (`name`, `value`)
WHERE i.`role` = 'champion' AND f.`value` IS NOT NULL {{restriction}}
