"""The methods of queries and their options. Nothing heavy is imported here."""

import argparse
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pixelcnn.cli.parsers.options import Options
from pixelcnn.cli.parsers.types import positive
from pixelcnn.errors import ConfigError

Methods: TypeAlias = Mapping[str, Mapping[str, int | str]]

CONDITIONAL_METHODS: Methods = {
    "exact": {},
    "importance": {"num_draws": 1000},
    "smc": {"num_populations": 40, "num_particles": 25},
    "gibbs": {"num_chains": 16, "num_sweeps": 100},
}
"""How a conditional is found: the options of each method, with their defaults."""

COMPLETION_METHODS: Methods = {
    "raster": {},
    "smc": {"num_populations": "3 for each completion, at least 40", "num_particles": 32},
    "gibbs": {"num_sweeps": 20, "num_particles": 32},
}
"""How images are completed, likewise."""

OPTION_HELP = {
    "num_draws": "Importance samples",
    "num_populations": "Independent populations of particles",
    "num_particles": "Particles in each population",
    "num_chains": "Markov chains",
    "num_sweeps": "Sweeps of each Markov chain",
}


CONDITIONAL_MINIMA = {"num_draws": 2, "num_populations": 2, "num_chains": 2, "num_sweeps": 4}
COMPLETION_MINIMA = {"num_populations": 2, "num_sweeps": 8}
"""The smallest values of options, where that is not 1."""


def method_options(methods: Methods, minima: Mapping[str, int]) -> Options:
    """The options of all methods; `typed_options` reads them."""
    found: Options = {}
    for name in dict.fromkeys(name for options in methods.values() for name in options):
        takers = {method: options[name] for method, options in methods.items() if name in options}
        least = minima.get(name, 1)
        default = next(iter(takers.values()))  # the same for all of them: tested
        text = f"{OPTION_HELP[name]} of --method {' and '.join(takers)} (N ≥ {least}; "
        found[f"--{name.replace('_', '-')} N"] = positive, f"{text}default: {default})."
    return found


def typed_options(
    args: argparse.Namespace, methods: Methods, chosen: Sequence[str]
) -> dict[str, int]:
    """The options of methods that were typed.

    Args:
        args: What was typed.
        methods: All of them, with the options of each.
        chosen: The methods that were typed, or the one that is taken where none was.

    Raises:
        ConfigError: If no method that was chosen takes one of them.
    """
    names = {name for options in methods.values() for name in options}
    typed = {name: vars(args)[name] for name in sorted(names) if vars(args)[name] is not None}
    for name in typed:
        if not any(name in methods[method] for method in chosen):
            takers = [method for method, options in methods.items() if name in options]
            owners = " and ".join(f"`{method}`" for method in takers)
            used = " and ".join(f"`--method {method}`" for method in chosen)
            default = "" if args.method else ", the default here"
            raise ConfigError(
                f"`--{name.replace('_', '-')}` is not an option of {used}{default} (it belongs to "
                f"{owners}). Add `--method {takers[0]}`, or leave it out."
            )
    return typed
