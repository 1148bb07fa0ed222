"""The tables on S3: the job that fills them, and Flink's SQL client over them."""
