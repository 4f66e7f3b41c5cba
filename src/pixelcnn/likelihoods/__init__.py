"""Heads: distributions over the levels of a pixel."""

import inspect
from typing import Any

from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods.base import Likelihood
from pixelcnn.likelihoods.bernoulli import Bernoulli
from pixelcnn.likelihoods.categorical import Categorical
from pixelcnn.likelihoods.logistic_mixture import LogisticMixture
from pixelcnn.registry import Registry

LIKELIHOODS: Registry[type[Likelihood]] = Registry("likelihood", Likelihood)


register = LIKELIHOODS.register
"""Class decorator: `@register("name")` makes a head known as `likelihood="name"`."""

register("bernoulli")(Bernoulli)
register("categorical")(Categorical)
register("logistic_mixture")(LogisticMixture)


def make_likelihood(name: str | None, *, channels: int, levels: int, **options: Any) -> Likelihood:
    """Makes a head by name.

    Args:
        name: Key of `LIKELIHOODS`; None for Bernoulli at two levels, categorical at more.
        channels: C.
        levels: K.
        **options: Further arguments of the head's constructor; None for its own default.

    Raises:
        ConfigError: If there is no such head, or it does not take an option or these channels and
            levels.
    """
    if name is None:
        name = "bernoulli" if levels == 2 else "categorical"
    head = LIKELIHOODS.find(name)
    given = {option: value for option, value in options.items() if value is not None}
    for option in given:
        if option not in inspect.signature(head).parameters:
            takers = [
                other
                for other, each in LIKELIHOODS.items()
                if option in inspect.signature(each).parameters
            ]
            raise ConfigError(
                f"`{option}` needs `likelihood` {' or '.join(takers)}, got {name}. "
                f"Set that, or leave `{option}` out."
            )
    return head(channels, levels, **given)


__all__ = [
    "LIKELIHOODS",
    "Bernoulli",
    "Categorical",
    "Likelihood",
    "LogisticMixture",
    "make_likelihood",
    "register",
]
