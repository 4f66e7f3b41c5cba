"""The one file of a folder of shards that says what all of them are."""

from collections.abc import Sequence
from pathlib import Path

from pixelcnn.data.shard_folder import FORMAT, MANIFEST, read_manifest
from pixelcnn.errors import ConfigError, OutputError
from pixelcnn.files import remove_leftovers, write_json
from pixelcnn.shards.recipe import Recipe, differences


def claim(folder: Path, recipe: Recipe) -> dict[str, str]:
    """Makes a folder that of a recipe, or checks that it is.

    Several processes may do so at once: all write the same bytes.

    Returns:
        The checksum of each shard by its file name, as far as the manifest has them.

    Raises:
        ConfigError: If it is the folder of another recipe, or holds shards of none.
        DataError: If its manifest is damaged.
        OutputError: If it cannot be written.
    """
    found, has_shards = read_manifest(folder), any(folder.glob("shard-*.npz"))
    if found is None:
        if has_shards:
            raise ConfigError(
                f"`{folder}` holds shards but no {MANIFEST} that says what they are. "
                f"Draw into another folder."
            )
        write_manifest(folder, recipe, [None] * recipe.num_shards)
        return {}
    if not has_shards and found["recipe"] != recipe.as_json():
        # It was begun and stopped before the first shard: nothing is lost.
        write_manifest(folder, recipe, [None] * recipe.num_shards)
        return {}
    check_claimed(folder, recipe)
    return {each["file"]: each["sha256"] for each in found["shards"] if each["sha256"]}


def check_claimed(folder: Path, recipe: Recipe) -> None:
    """Raises `ConfigError` if the manifest of a folder is that of another recipe."""
    found = read_manifest(folder)
    differing = [] if found is None else differences(recipe.as_json(), found["recipe"])
    if differing:
        raise ConfigError(
            f"`{folder}` holds shards of another drawing: {'; '.join(differing)}. "
            f"Draw into another folder, or as that drawing was begun."
        )


def write_manifest(folder: Path, recipe: Recipe, checksums: Sequence[str | None]) -> None:
    """Writes what all shards are, and their SHA-256; None for those that are not drawn yet.

    Raises:
        OutputError: If it cannot be written.
    """
    shards = [
        {
            "file": recipe.file_of(number),
            "first": recipe.images_of(number).start,
            "count": len(recipe.images_of(number)),
            "sha256": checksum,
        }
        for number, checksum in enumerate(checksums)
    ]
    manifest = {"format": FORMAT, "recipe": recipe.as_json(), "shards": shards}
    try:
        write_json(folder / MANIFEST, manifest)
    except OutputError:
        # Another process that ends at the same time may have tidied up what was on its way, but
        # not before the same manifest was in place.
        if read_manifest(folder) != manifest:
            raise


def tidy(folder: Path, recipe: Recipe) -> None:
    """Removes what killed processes were writing, once all shards are whole."""
    files = {recipe.file_of(number) for number in range(recipe.num_shards)}
    remove_leftovers(folder, {MANIFEST, *files})
