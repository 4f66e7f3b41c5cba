"""Heads: distributions over the levels of a pixel."""

from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods.base import Likelihood
from pixelcnn.likelihoods.bernoulli import Bernoulli
from pixelcnn.likelihoods.categorical import Categorical
from pixelcnn.likelihoods.logistic_mixture import LogisticMixture

LIKELIHOODS: dict[str, type[Likelihood]] = {
    head.name: head for head in (Bernoulli, Categorical, LogisticMixture)
}


def make_likelihood(
    name: str | None, *, channels: int, levels: int, num_mixtures: int | None = None
) -> Likelihood:
    """Makes a head by name; None chooses Bernoulli for two levels and categorical for more.

    Args:
        name: Key of `LIKELIHOODS`, or None.
        channels: C.
        levels: K.
        num_mixtures: Parts of a logistic mixture; None for its own default.

    Raises:
        ConfigError: If there is no such head, or it cannot serve these channels and levels, or
            has no parts to be counted.
    """
    if name is None:
        name = "bernoulli" if levels == 2 else "categorical"
    if name not in LIKELIHOODS:
        raise ConfigError(
            f"`likelihood` must be one of {', '.join(map(repr, LIKELIHOODS))}, got {name!r}."
        )
    if num_mixtures is None:
        return LIKELIHOODS[name](channels, levels)
    if name != LogisticMixture.name:
        raise ConfigError(
            f"`num_mixtures` needs likelihood {LogisticMixture.name!r}, got likelihood {name!r}. "
            f"Leave it out, or change the likelihood."
        )
    return LogisticMixture(channels, levels, num_mixtures=num_mixtures)


__all__ = [
    "LIKELIHOODS",
    "Bernoulli",
    "Categorical",
    "Likelihood",
    "LogisticMixture",
    "make_likelihood",
]
