"""Heads: distributions over the levels of a pixel."""

from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods.base import Likelihood
from pixelcnn.likelihoods.bernoulli import Bernoulli
from pixelcnn.likelihoods.categorical import Categorical

LIKELIHOODS: dict[str, type[Likelihood]] = {head.name: head for head in (Bernoulli, Categorical)}


def make_likelihood(name: str | None, *, channels: int, levels: int) -> Likelihood:
    """Makes a head by name; None chooses Bernoulli for two levels and categorical for more.

    Raises:
        ConfigError: If there is no such head or it cannot serve these levels.
    """
    if name is None:
        name = "bernoulli" if levels == 2 else "categorical"
    if name not in LIKELIHOODS:
        raise ConfigError(
            f"`likelihood` must be one of {', '.join(map(repr, LIKELIHOODS))}, got {name!r}."
        )
    return LIKELIHOODS[name](channels, levels)


__all__ = ["LIKELIHOODS", "Bernoulli", "Categorical", "Likelihood", "make_likelihood"]
