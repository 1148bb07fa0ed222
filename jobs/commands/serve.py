"""``weir serve``: the API, in this process, until it is stopped."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stderr
from jobs.settings import Settings

__all__ = ["serve"]


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine's need WEIR_API_TOKEN.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="WEIR_PORT_BASE + 80 unless given.")] = None,
    ray: Annotated[
        int, typer.Option(min=0, max=64, help="Answer with so many Ray Serve replicas instead of one process.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object when it listens.")] = False,
) -> None:
    """Answer over HTTP: predict, through the stream too, tell truths, look up inferences, versions and quality.

    It listens on this machine only unless told otherwise, and runs until Ctrl-C. /v1/openapi.json describes it.

    Example: weir serve --ray 2 --port 8080
    """
    with errors_as_sentences():
        from jobs.serving.run_server import run_server
        from jobs.serving.serving_settings import check_host, plan_of, port_of

        settings = Settings()
        check_host(host, settings)
        listening = port or port_of(settings)

        def told(address: str) -> None:
            if as_json:
                print_json({"address": address})
            else:
                stderr.print(f"serving at {address}; Ctrl-C ends it", highlight=False)

        if ray:
            from jobs.serving.ray_server import run_ray_server

            run_ray_server(plan_of(settings), host, listening, settings.home, ray, told)
        else:
            run_server(plan_of(settings), host, listening, settings.home, told)
