"""The tables on S3: where they are, their catalog for Python, and how far the topics are in them."""
