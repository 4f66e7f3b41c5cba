import pytest

from pixelcnn import errors


def test_a_missing_package_names_the_extra_that_brings_it():
    with pytest.raises(errors.MissingDependencyError, match=r'pip install "pixelcnn\[metrics\]"'):
        errors.require("no_such_package_at_all", extra="metrics")


def test_every_error_is_of_one_family_and_of_its_builtin_kind():
    kinds = {
        errors.ConfigError: ValueError,
        errors.ShapeError: ValueError,
        errors.OutputError: OSError,
        errors.MissingDependencyError: ImportError,
    }
    for error, kind in kinds.items():
        assert issubclass(error, errors.PixelCNNError)
        assert issubclass(error, kind)
