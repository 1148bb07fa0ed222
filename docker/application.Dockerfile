# The scoring job for application mode: the Flink image and one bundle. Build it from the repository's root, after
# `docker build --file docker/Dockerfile --tag weir-flink .` and `make bundle`; never built where this was written.
FROM weir-flink
COPY dist/weir-bundle.zip /opt/weir/bundle.zip
