"""SQL as files: the job, the registry tables."""
