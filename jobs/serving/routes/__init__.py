"""The API's paths, one router per file; each file has a function ``router`` that makes it from what it needs."""
