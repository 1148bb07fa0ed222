"""How ``weir status`` tells a person how much of the truth has come."""

from __future__ import annotations

from jobs.report.quality_summary import QualitySummary, VersionQuality

__all__ = ["truth_lines"]

DAY_MS, HOUR_MS = 86_400_000, 3_600_000


def truth_lines(summary: QualitySummary) -> list[str]:
    """Return a line for each version, and one for what was set aside.

    Examples
    --------
    >>> version = VersionQuality(
    ...     model="fraud", version="2", role="champion", scored=2000, excluded=3, labelled=1400, presumed=0, intervened=10,
    ...     unlabelled=590, coverage=0.7, label_delay_p50_ms=500_000_000, label_delay_p90_ms=600_000_000, set_aside=4,
    ...     roc_auc=0.91234, error_bound=0.0, ci_low=0.88, ci_high=0.94,
    ... )
    >>> for line in truth_lines(QualitySummary((version,), {"superseded_truth": 4})):
    ...     print(line)
    fraud 2 champion: ROC AUC 0.9123 (0.8800 to 0.9400); truth of 70.0 % of 2,000 scored, after p50 5.8 d and p90 6.9 d;
    590 unlabelled, 0 presumed genuine, 10 intervened, 3 excluded, 4 set aside
    truth set aside: 4 superseded_truth
    """
    lines = [f"{_truth(each)} {_others(each)}" for each in summary.versions]
    if summary.set_aside:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in summary.set_aside.items())
        lines.append(f"truth set aside: {counts}")
    return lines


def _truth(version: VersionQuality) -> str:
    who = f"{version.model} {version.version} {version.role}"
    auc = "none yet"
    if version.roc_auc is not None:
        auc = f"{version.roc_auc:.4f}"
        if version.ci_low is not None and version.ci_high is not None:
            auc += f" ({version.ci_low:.4f} to {version.ci_high:.4f})"
    share = "" if version.coverage is None else f"{version.coverage:.1%}".replace("%", " %")
    known = f"truth of {share} of {version.scored:,} scored" if share else "nothing scored that counts"
    delays = version.label_delay_p50_ms, version.label_delay_p90_ms
    if delays[0] is not None and delays[1] is not None:
        known += f", after p50 {_span(delays[0])} and p90 {_span(delays[1])}"
    return f"{who}: ROC AUC {auc}; {known};"


def _others(version: VersionQuality) -> str:
    return (
        f"{version.unlabelled:,} unlabelled, {version.presumed:,} presumed genuine, {version.intervened:,} intervened, "
        f"{version.excluded:,} excluded, {version.set_aside:,} set aside"
    )


def _span(delay_ms: int) -> str:
    """Write a delay in the unit a person would use.

    Examples
    --------
    >>> _span(600_000_000), _span(5_400_000), _span(2_500)
    ('6.9 d', '1.5 h', '2.5 s')
    """
    if delay_ms >= DAY_MS:
        return f"{delay_ms / DAY_MS:.1f} d"
    return f"{delay_ms / HOUR_MS:.1f} h" if delay_ms >= HOUR_MS else f"{delay_ms / 1000:.1f} s"
