"""One transaction on one screen: pure text from what :mod:`jobs.explaining` gathered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from jobs.explaining.explanation import Explanation, Judgement

__all__ = ["explanation_lines"]

_OWN = ("transaction_id", "event_time_ms", "customer_id", "terminal_id", "amount", "partition", "offset")
_PER_LINE = 3


def explanation_lines(explained: Explanation) -> list[str]:
    """Return the screen, line by line.

    Parameters
    ----------
    explained
        What is known of the transaction.

    Examples
    --------
    >>> explanation_lines(Explanation("t1", None))[0]
    'transaction t1: its event is no longer in the topic'
    """
    lines = list(_event(explained))
    for each in explained.judgements:
        lines += _judgement(each)
    for alert in explained.alerts:
        lines += _alert(alert)
    lines += _truths(explained)
    lines += [f"dead letter {each['reason']} at {each['partition']}/{each['offset']}" for each in explained.dead]
    return lines


def _event(explained: Explanation) -> Iterator[str]:
    event = explained.event
    if event is None:
        yield f"transaction {explained.transaction_id}: its event is no longer in the topic"
        return
    where = f"transactions/{event['partition']} offset {event['offset']}"
    yield f"transaction {explained.transaction_id}: {_time(event.get('event_time_ms'))}, {where}"
    yield (
        f"event      customer {event.get('customer_id')}, terminal {event.get('terminal_id') or 'none'}, "
        f"amount {event.get('amount')}"
    )
    others = {name: value for name, value in event.items() if name not in _OWN}
    if others:
        yield from _named("           ", others)
    for past in explained.past:
        yield (
            f"before     {_time(past['event_time_ms'])} {past['transaction_id']} amount {past.get('amount')}, "
            f"same {' and '.join(name.removesuffix('_id') for name in past['shared'])}"
        )


def _judgement(each: Judgement) -> Iterator[str]:
    inference = each.inference
    score = f"no score, {inference['reason']}" if inference["score"] is None else f"score {inference['score']!r}"
    marks = [name for name in ("late", "warming_up", "excluded") if inference.get(name)]
    yield ""
    yield f"{inference['role']:<10} {score}" + (f" ({', '.join(marks)})" if marks else "")
    yield from _named("features   ", inference["features"], f"{inference['feature_set']}: ")
    if inference["digest"] is None:
        return
    yield f"version    {inference['model']} {inference['version']}, artifact {inference['digest']}"
    yield from _trained(each)
    if each.roc_auc is not None:
        yield f"ROC AUC    {_quality(each.roc_auc)}"
    yield f"again      scored again now: {each.again}"


def _trained(each: Judgement) -> Iterator[str]:
    training = each.trained.get("training") or {}
    if training:
        data = training.get("data", {})
        first = data.get("first_row", 0)
        source = data.get("file") or f"{data.get('source')} seed {data.get('seed')}"
        sha256 = f" sha256 {data['sha256'][:12]}" if "sha256" in data else ""
        yield (
            f"trained    {training.get('algorithm')} on {source}{sha256} rows {first}:{first + data.get('rows', 0)}, "
            f"until {_time(each.trained.get('trained_until_ms'))}, commit {each.commit[:12] or 'unknown'}"
        )
    elif each.trained:
        yield f"trained    until {_time(each.trained.get('trained_until_ms'))}, no record; commit {each.commit or 'unknown'}"
    if each.trained.get("parent"):
        yield f"parent     artifact {each.trained['parent']}"


def _alert(alert: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"alert      {alert['alert_id'][:12]} score {alert['score']:.6f} >= {alert['threshold']:g}, "
        f"version {alert['version']}"
    )
    because = {
        each["feature"]: f"{each['value']:.6g} ({each['contribution']:+.4g})" for each in alert.get("reasons", ())
    }
    if because:
        yield from _named("because    ", because)


def _truths(explained: Explanation) -> Iterator[str]:
    if not explained.truths:
        yield ""
        yield "truth      not known: it does not count in any ROC AUC yet"
        return
    yield ""
    for truth in explained.truths:
        label = "fraud" if truth["label"] else "genuine"
        blocked = ", intervened: not comparable" if truth["intervened"] else ""
        yield f"truth      {label}, known {_time(truth['truth_time_ms'])}, revision {truth['revision']}{blocked}"
    newest = explained.truths[-1]
    for each in explained.judgements:
        yield f"effect     {each.inference['role']}: {_effect(each.inference, newest)}"


def _effect(inference: Mapping[str, Any], truth: Mapping[str, Any]) -> str:
    """Say how the transaction enters the version's ROC AUC."""
    if inference["score"] is None:
        return "none, it has no score"
    if inference.get("excluded"):
        return "none, the version was trained on events up to it"
    if truth["intervened"]:
        return "none, it was intervened with"
    side = "positive" if truth["label"] else "negative"
    other = "genuine transactions it scores above" if truth["label"] else "frauds it scores below"
    return f"counts as one {side}: raises the ROC AUC by its share of {other}"


def _quality(row: Mapping[str, Any]) -> str:
    if row["roc_auc"] is None:
        return f"of the version: none, {row['reason']}"
    return (
        f"of the version: {row['roc_auc']:.4f} (95 % {row['ci_low']:.4f}-{row['ci_high']:.4f}) from "
        f"{row['positives']} frauds, {row['negatives']} genuine"
    )


def _named(head: str, values: Mapping[str, Any], first: str = "") -> Iterator[str]:
    """Lay names and values out in a few columns."""
    words = [f"{name}={_number(value)}" for name, value in values.items()]
    for start in range(0, len(words), _PER_LINE):
        lead = head + first if start == 0 else " " * len(head)
        yield lead + "  ".join(words[start : start + _PER_LINE])
    if not words:
        yield f"{head}{first}none"


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _time(time_ms: object) -> str:
    if not isinstance(time_ms, int) or time_ms <= 0:
        return "no time"
    return datetime.fromtimestamp(time_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
