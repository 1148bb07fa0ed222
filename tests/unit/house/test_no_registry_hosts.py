"""No file names the host of a package registry: what is installed is our business, from where is the machine's."""

from __future__ import annotations

import pytest

from tests.unit.house.source_tree import ROOT, tracked_files

# Written in halves, or this file would be its own first finding.
HOSTS = [
    f"{name}.{domain}"
    for name, domain in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("maven", "org"),
        ("maven.apache", "org"),
        ("sonatype", "org"),
        ("jitpack", "io"),
        ("packages.confluent", "io"),
        ("repository.apache", "org"),
        ("archive.apache", "org"),
        ("downloads.apache", "org"),
        ("anaconda", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("gcr", "io"),
        ("npmjs", "org"),
        ("crates", "io"),
    ]
]


def hosts_in(text: bytes) -> list[str]:
    """Return the registry hosts a file names."""
    return [host for host in HOSTS if host.encode() in text.lower()]


def test_no_tracked_file_names_a_registry_host():
    found = {str(path.relative_to(ROOT)): hosts_in(path.read_bytes()) for path in tracked_files()}
    assert {path: hosts for path, hosts in found.items() if hosts} == {}


@pytest.mark.parametrize("host", HOSTS)
def test_a_registry_host_is_found(host):
    assert host in hosts_in(f"--index-url HTTPS://{host.upper()}/simple".encode())
