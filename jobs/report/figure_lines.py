"""How ``weir status`` tells a person how the job keeps up."""

from __future__ import annotations

from typing import Any

__all__ = ["figure_lines"]


def figure_lines(figures: dict[str, Any]) -> list[str]:
    """Return a few lines about what :func:`jobs.job_figures.job_figures` found.

    Examples
    --------
    >>> quiet = {"p50": None, "p99": None}
    >>> for line in figure_lines(dict(
    ...     prediction_latency_ms=quiet, platform_backlog_ms={"p50": 40.0, "p99": 1900.5}, watermark_lag_ms=None,
    ...     consumer_lag={"transactions": 12}, events_per_s=99.5, dead_letters={"duplicate": 2}, busy={"score": 0.25},
    ...     versions=[dict(model="fraud", version="1", role="champion", inferences=7, late=1, null_scores=0)],
    ...     scale_out=True, bytes_per_entity={"customer": {"mean": 900.2, "p99": 4000.0}},
    ... )):
    ...     print(line)
    prediction - event: not measured yet; prediction - ingestion: p50 40 ms, p99 1900 ms; watermark lag: none yet
    99.5 transactions a second; waiting in Kafka: 12 transactions; dead letters: 2 duplicate; busiest: score 25 %
    bytes of state: customer mean 900 p99 4000
    fraud 1 champion: 7 inferences, 1 late, 0 null
    it does not keep up: weir scale to more TaskManagers if this lasts for five minutes and cores are free
    """
    watermark = figures["watermark_lag_ms"]
    lag = ", ".join(f"{count} {topic}" for topic, count in figures["consumer_lag"].items()) or "unknown"
    dead = ", ".join(f"{count} {reason}" for reason, count in figures["dead_letters"].items()) or "none"
    busy = max(figures["busy"].items(), key=lambda each: float(each[1]), default=None)
    rate = figures["events_per_s"]
    lines = [
        f"prediction - event: {_quantiles(figures['prediction_latency_ms'])}; "
        f"prediction - ingestion: {_quantiles(figures['platform_backlog_ms'])}; "
        f"watermark lag: {'none yet' if watermark is None else f'{watermark} ms'}",
        f"{'no' if rate is None else rate} transactions a second; waiting in Kafka: {lag}; dead letters: {dead}"
        + (f"; busiest: {busy[0]} {busy[1]:.0%}".replace("%", " %") if busy else ""),
    ]
    sizes = [
        f"{entity} mean {each['mean']:.0f} p99 {each['p99']:.0f}"
        for entity, each in figures.get("bytes_per_entity", {}).items()
        if each["mean"] is not None and each["p99"] is not None
    ]
    if sizes:
        lines.append(f"bytes of state: {', '.join(sizes)}")
    lines += [
        f"{each['model']} {each['version']} {each['role']}: {each['inferences']} inferences, {each['late']} late, "
        f"{each['null_scores']} null"
        for each in figures["versions"]
    ]
    if figures["scale_out"]:
        lines.append(
            "it does not keep up: weir scale to more TaskManagers if this lasts for five minutes and cores are free"
        )
    return lines


def _quantiles(values: dict[str, float | None]) -> str:
    if values["p50"] is None or values["p99"] is None:
        return "not measured yet"
    return f"p50 {values['p50']:.0f} ms, p99 {values['p99']:.0f} ms"
