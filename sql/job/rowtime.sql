-- Event time of a raw record: the first of its times that a record can have, else 1970, which never moves a watermark.
-- A time more than a day above the append time is refused later, with its reason; it must not push event time here.
-- Truths happen when they become known (truth_time_ms); the closing record of a producer has event_time_ms only.
TO_TIMESTAMP_LTZ(
  CASE WHEN {{first}} BETWEEN 0 AND {{append_ms}} + 86400000 THEN {{first}}
       WHEN {{first}} IS NULL AND {{second}} BETWEEN 0 AND {{append_ms}} + 86400000 THEN {{second}}
       ELSE CAST(0 AS BIGINT) END, 3)
