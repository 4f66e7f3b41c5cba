"""The certificate: what is proved of a model, on the very weights."""

from pixelcnn.certificate.lines import Certificate, Line, certificate_path, read_certificate
from pixelcnn.certificate.verify import verify

__all__ = ["Certificate", "Line", "certificate_path", "read_certificate", "verify"]
