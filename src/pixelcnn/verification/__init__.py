"""The verification report: checks of causality, caches, likelihood and sampler on the weights."""

from pixelcnn.verification.report import (
    Check,
    VerificationReport,
    find_report,
    read_report,
    report_path,
)
from pixelcnn.verification.verify import verify

__all__ = ["Check", "VerificationReport", "find_report", "read_report", "report_path", "verify"]
