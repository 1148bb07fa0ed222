"""What can be checked of compose.yaml, the FlinkDeployment and the monitoring without a container engine or a cluster."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from connectors.local.flink_home import FlinkHome
from connectors.local.ports import Ports
from connectors.local.stack_plan import COMPONENTS
from connectors.local.task_managers import RESERVED
from connectors.local.zookeeper import TICK_MS, ZooKeeper
from connectors.postgres.role_password import role_password
from jobs.job_arguments import JobArguments
from tests.unit.house.source_tree import ROOT

DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
DEPLOYMENT = next(
    each for each in yaml.safe_load_all((DOCKER / "kubernetes/flink-deployment.yaml").read_text())
    if each["kind"] == "FlinkDeployment"
)  # fmt: skip
LOCK = (ROOT / "connectors/local/jars.lock").read_text()
PYTHON_LOCK = (ROOT / "locks/python.lock").read_text()
OWN_IMAGES = {"weir-flink": "docker/Dockerfile", "weir-tools": "docker/tools.Dockerfile"}


def local_configuration() -> dict:
    return FlinkHome(Path("/h"), 1, 2, None, Path("/j"), "9249", 2_181).configuration()  # type: ignore[arg-type]


def copied(dockerfile: str) -> set[str]:
    """Return the sources a Dockerfile copies from the repository."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / dockerfile).read_text(), re.MULTILINE)
    return {source.rstrip("/") for line in lines for source in line.split()[:-1]}


def test_compose_has_every_component_of_the_local_stack_and_nothing_dangling():
    assert set(COMPONENTS) <= set(SERVICES)
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= set(SERVICES)
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            known = source in COMPOSE["volumes"] or source == "../dist" or (DOCKER / source).exists()
            assert known, f"{source} is neither a volume nor a file of the repository"


def test_compose_publishes_the_ports_of_weir_up_to_this_machine_only():
    ports = Ports(19_000)
    for name in ("postgres", "kafka", "connect", "s3", "mlflow"):
        (published,) = SERVICES[name]["ports"]
        assert published.startswith(f"127.0.0.1:{getattr(ports, name)}:")
    assert SERVICES["jobmanager"]["ports"] == [f"127.0.0.1:{ports.flink}:8081"]


def test_each_role_has_the_password_that_is_made_from_the_owners():
    owner = SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert role_password(owner, "mlflow") in SERVICES["mlflow"]["environment"]["MLFLOW_BACKEND_STORE_URI"]
    secret = DOCKER / COMPOSE["secrets"]["debezium"]["file"]
    assert secret.read_text() == f"password={role_password(owner, 'debezium')}\n"
    connect = SERVICES["connect"]
    assert not any(owner in str(value) for value in connect["environment"].values())
    assert connect["environment"]["CONNECT_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS"] == "/run/secrets"


def test_compose_has_the_task_managers_that_the_jobs_and_sql_need():
    arguments = JobArguments.from_json(SERVICES["submit"]["command"][-1])
    assert SERVICES["taskmanager"]["deploy"]["replicas"] == arguments.parallelism + RESERVED
    assert {"AWS_REGION", "PGPASSFILE"} <= set(SERVICES["taskmanager"]["environment"])
    assert (
        DOCKER / "flink/pgpass"
    ).read_text() == f"postgres:5432:weir:iceberg:{role_password('weir-local', 'iceberg')}\n"


def test_images_are_ours_or_of_the_locked_versions():
    for service in SERVICES.values():
        name, _, tag = service["image"].partition(":")
        if name in OWN_IMAGES:
            build = service.get("build")
            assert build is None or build["dockerfile"] == OWN_IMAGES[name]
        elif name == "apache/kafka":
            assert f"org.apache.kafka:kafka_2.13:{tag} " in LOCK
        elif name == "debezium/connect":
            assert f"io.debezium:debezium-connector-postgres:{tag}:" in LOCK
        else:
            assert name in {"postgres", "andrewgaul/s3proxy", "prom/prometheus", "grafana/grafana"}


@pytest.mark.parametrize("dockerfile", ["docker/Dockerfile", "docker/tools.Dockerfile"])
def test_what_an_image_copies_is_there_and_not_ignored(dockerfile):
    admitted = {line[1:] for line in (ROOT / f"{dockerfile}.dockerignore").read_text().splitlines() if line[0] == "!"}
    for source in copied(dockerfile):
        assert (ROOT / source).exists()
        assert source in admitted or source.split("/")[0] in admitted


def test_the_application_image_is_the_flink_image_with_the_bundle_of_make():
    assert copied("docker/application.Dockerfile") == {"dist/weir-bundle.zip"}
    assert "dist/weir-bundle.zip" in (ROOT / "Makefile").read_text()
    assert "FROM weir-flink\n" in (DOCKER / "application.Dockerfile").read_text()
    assert "/opt/weir/bundle.zip" in DEPLOYMENT["spec"]["job"]["args"]


def test_both_ways_tell_the_job_what_it_understands():
    for words in (SERVICES["submit"]["command"], DEPLOYMENT["spec"]["job"]["args"]):
        text = words[-1].replace("${WEIR_BUILD_ID:-}", "BUILD_ID")
        arguments = JobArguments.from_json(text)
        assert arguments.stages.build_id == "BUILD_ID"
        assert arguments.stages.parallelism == arguments.parallelism == DEPLOYMENT["spec"]["job"]["parallelism"]
        assert words[words.index("-pym") + 1] == "jobs.run_scoring"
        assert arguments.stages.first_deployment_seq == 0
        importlib.import_module("jobs.run_scoring")


@pytest.mark.parametrize(
    "configuration",
    [yaml.safe_load((DOCKER / "flink/config.yaml").read_text()), DEPLOYMENT["spec"]["flinkConfiguration"]],
    ids=["compose", "kubernetes"],
)
def test_flink_is_configured_as_in_the_local_stack(configuration):
    local = local_configuration()
    same = [
        name for name in local
        if name.startswith(("heartbeat.interval", "heartbeat.timeout", "restart-strategy", "taskmanager.memory",
                            "metrics.reporter", "env.java.opts.all", "state.backend"))
        or name in ("taskmanager.numberOfTaskSlots", "python.execution-mode")
    ]  # fmt: skip
    assert len(same) > 12
    for name in same:
        if name == "taskmanager.memory.process.size" and name not in configuration:
            assert local[name] == DEPLOYMENT["spec"]["taskManager"]["resource"]["memory"]
        else:
            assert str(configuration[name]) == str(local[name]), name
    assert configuration["python.executable"] == "/opt/weir/bin/python"


def test_compose_keeps_jobs_in_zookeeper_as_the_local_stack_does():
    here, local = yaml.safe_load((DOCKER / "flink/config.yaml").read_text()), local_configuration()
    names = [name for name in local if name.startswith("high-availability")]
    for name in set(names) - {"high-availability.storageDir", "high-availability.jobmanager.port"}:
        assert str(here[name]) == str(local[name]).replace("127.0.0.1", "zookeeper"), name
    assert here["high-availability.storageDir"].startswith("file:///state/")
    lines = [line for line in (DOCKER / "flink/zoo.cfg").read_text().splitlines() if not line.startswith("#")]
    written = Path(inspect.getfile(ZooKeeper)).read_text()
    assert all(f'"{line.partition("=")[0]}":' in written for line in lines)
    assert f"tickTime={TICK_MS}" in lines


def test_the_deployment_upgrades_by_savepoint_with_high_availability_and_the_locked_flink():
    spec, job = DEPLOYMENT["spec"], DEPLOYMENT["spec"]["job"]
    assert job["upgradeMode"] == "savepoint"
    assert spec["flinkConfiguration"]["high-availability.type"] == "kubernetes"
    assert spec["jobManager"]["replicas"] == 2
    version = re.search(r"^apache-flink==(\d+)\.(\d+)\.(\d+)", PYTHON_LOCK, re.MULTILINE)
    assert version is not None
    assert spec["flinkVersion"] == f"v{version[1]}_{version[2]}"
    assert job["jarURI"].endswith(f"flink-python-{version[1]}.{version[2]}.{version[3]}.jar")


def test_commands_that_the_files_name_exist():
    import pyflink

    scripts = {path.name for folder in pyflink.__path__ for path in (Path(folder) / "bin").iterdir()}
    for service in ("zookeeper", "jobmanager", "taskmanager", "submit", "tables"):
        assert SERVICES[service]["command"][0] in scripts
    for service, when in {"set-up": "before", "connected": "after", "tables-script": "tables"}.items():
        assert SERVICES[service]["command"][1:] == ["/opt/set_up.py", when]
    text = (DOCKER / "set_up.py").read_text()
    for module, names in re.findall(r"^from (connectors\S+) import (.+)$", text, re.MULTILINE):
        assert all(hasattr(importlib.import_module(module), name.strip()) for name in names.split(","))


def test_alert_rules_are_whole_and_name_what_a_person_can_do():
    rules = [
        rule
        for group in yaml.safe_load((DOCKER / "monitoring/alerts.yaml").read_text())["groups"]
        for rule in group["rules"]
    ]
    assert len({rule["alert"] for rule in rules}) == len(rules) == 5
    for rule in rules:
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")
    assert "weir scale" in next(rule for rule in rules if rule["alert"] == "WeirScaleOut")["annotations"]["summary"]


def test_prometheus_reads_flink_where_it_offers_its_metrics():
    document = yaml.safe_load((DOCKER / "monitoring/prometheus.yaml").read_text())
    port = local_configuration()["metrics.reporter.prom.port"]
    (job,) = document["scrape_configs"]
    assert job["static_configs"][0]["targets"] == [f"jobmanager:{port}"]
    assert (job["dns_sd_configs"][0]["names"], str(job["dns_sd_configs"][0]["port"])) == (["taskmanager"], port)
    assert all((DOCKER / "monitoring" / name).is_file() for name in document["rule_files"])


def test_the_board_asks_for_metrics_in_whole_expressions():
    board = json.loads((DOCKER / "monitoring/grafana-board.json").read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(expressions) > 8
    for expression in expressions:
        assert all(expression.count(a) == expression.count(b) for a, b in ("()", "[]", "{}"))
        assert shlex.split(expression)
