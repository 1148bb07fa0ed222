# The command line with all it needs, also MLflow's server: what is not Flink in compose.yaml. Built from the repository's
# root; never built where this was written, its packages and files are held to the repository by a unit test.
FROM python:3.11-slim
ENV UV_LINK_MODE=copy \
    PATH=/opt/weir/bin:$PATH
WORKDIR /opt/source
RUN python -m venv /opt/weir
COPY locks/python.lock ./
RUN sed -n -E '/^(setuptools|uv)==/,/[^\\]$/p' python.lock > bootstrap.lock \
 && python -m pip install --no-cache-dir --no-deps --require-hashes -r bootstrap.lock \
 && uv pip install --no-cache --no-deps --no-build-isolation --require-hashes --python /opt/weir/bin/python -r python.lock
COPY pyproject.toml README.md LICENSE THIRD_PARTY.md ./
COPY connectors/ connectors/
COPY jobs/ jobs/
COPY model_store/ model_store/
COPY sql/ sql/
COPY udfs/ udfs/
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation .
COPY docker/set_up.py /opt/set_up.py
RUN useradd --create-home weir
USER weir
WORKDIR /home/weir
CMD ["weir", "--help"]
