"""Metrics with what a reader must know of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class MetricResults:
    """Metrics that were measured, and the reasons for those that were not.

    Attributes:
        values: By name; None for a metric that could not be measured.
        not_measured: The reason, for each value that is None.
        protocol: What the values depend on, in JSON types.

    Example:
        >>> fid = MetricResults({"fid": 3.5}, protocol={"num_real": 100})
        >>> both = fid.joined(MetricResults.without("kid", "needs at least 50 images, got 20"))
        >>> both.values, both.not_measured
        ({'fid': 3.5, 'kid': None}, {'kid': 'needs at least 50 images, got 20'})
    """

    values: Mapping[str, Any]
    not_measured: Mapping[str, str] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def without(*names_and_reason: str) -> "MetricResults":
        """Metrics that could not be measured: their names, then the reason for all of them."""
        *names, reason = names_and_reason
        return MetricResults(dict.fromkeys(names), dict.fromkeys(names, reason))

    def joined(self, *others: "MetricResults") -> "MetricResults":
        """These metrics and others."""
        every = [self, *others]
        return MetricResults(
            {name: value for one in every for name, value in one.values.items()},
            {name: reason for one in every for name, reason in one.not_measured.items()},
            {name: value for one in every for name, value in one.protocol.items()},
        )
