-- Of every table.
  'format-version' = '2',
  -- One writer a day, so that a checkpoint leaves one file a day, not one per writer and day.
  'write.distribution-mode' = 'hash',
  'write.parquet.compression-codec' = 'zstd',
  -- Writers of many days are open at once when a history is caught up with: small buffers.
  'write.parquet.row-group-size-bytes' = '8388608',
  'write.parquet.page-size-bytes' = '131072',
  'write.parquet.dict-size-bytes' = '262144',
  'write.metadata.delete-after-commit.enabled' = 'true',
  'write.metadata.previous-versions-max' = '50'
