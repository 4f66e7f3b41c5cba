"""The certificate: what is proved of a model, on the very weights."""

from pixelcnn.verification.checks import Line, VerificationReport, read_report, report_path
from pixelcnn.verification.verify import verify

__all__ = ["Line", "VerificationReport", "read_report", "report_path", "verify"]
