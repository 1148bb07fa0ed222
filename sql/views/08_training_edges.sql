-- Ten bins that each hold a tenth of a feature's training values, fewer where values repeat: their upper edges.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`training_edges`
COMMENT 'The nine inner edges of the bins of each feature, from training_features'
AS SELECT `name`, PERCENTILE(`value`, ARRAY[0.1e0, 0.2e0, 0.3e0, 0.4e0, 0.5e0, 0.6e0, 0.7e0, 0.8e0, 0.9e0]) AS edges
FROM `iceberg`.`weir`.`training_features`
GROUP BY `name`
