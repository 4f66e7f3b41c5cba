"""Reports that compare models on the same images: HTML, Markdown, JSON and PNG."""

from pixelcnn.report.compare import Comparison, compare
from pixelcnn.report.measure import QUICK, Effort
from pixelcnn.report.variant import Variant
from pixelcnn.report.write import write_report

__all__ = ["QUICK", "Comparison", "Effort", "Variant", "compare", "write_report"]
