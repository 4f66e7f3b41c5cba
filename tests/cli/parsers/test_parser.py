"""What can be typed, and what is refused before any work."""

import inspect

import pytest

from pixelcnn.cli.parsers.methods import COMPLETION_METHODS, CONDITIONAL_METHODS
from pixelcnn.cli.parsers.parser import build_parser, command_parsers, parse, split_settings
from pixelcnn.cli.parsers.types import non_negative, site, size
from pixelcnn.inference.complete import COMPLETION_METHODS as LIBRARY_COMPLETIONS
from pixelcnn.inference.conditional import CONDITIONAL_METHODS as LIBRARY_CONDITIONALS

WRONG = [
    [],
    ["dance"],
    ["sample"],
    ["sample", "run", "--num-samples", "0"],
    ["sample", "run", "--num-samples", "4", "--per-label", "2"],
    ["sample", "run", "--size", "8by8"],
    ["sample", "run", "--seed", "-1"],
    ["sample", "run", "--temp", "1"],
    ["sample", "run", "--training.max_epochs", "5"],
    ["train", "--config", "a.yaml", "--preset", "digits"],
    ["evaluate", "run", "--split", "secret"],
    ["evaluate", "run", "--features", "vgg"],
    ["evaluate", "run", "--num-generated", "0"],
    ["train-classifier", "--preset", "digits"],
    ["sample", "run", "--shards", ""],
    ["score", "run", "--seed", str(2**64)],
    ["marginal", "run", "--site", "1"],
    ["compare", "digits", "--sampling-seconds", "0"],
    ["app", "--port", "65536"],
    ["sample", "run", "--temperature", "warm"],
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_words_are_one_line_with_code_2(words, capsys):
    with pytest.raises(SystemExit) as end:
        parse(words)
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pixelcnn: ")
    assert err.endswith("--help`.\n")
    assert err.count("\n") == 1


COMMANDS = command_parsers(build_parser())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as end:
        parse([command, "--help"])
    assert end.value.code == 0
    assert f"usage: pixelcnn {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_sentence_of_help(command):
    for action in COMMANDS[command]._actions[1:]:
        assert action.help[0].isupper() or action.help.startswith("."), action.option_strings
        assert action.help.endswith("."), action.option_strings
        if action.metavar == "N":
            assert (
                "default" in action.help or "goes with" in action.help or "instead" in action.help
            )


@pytest.mark.parametrize(
    "words",
    [
        ["score", "RUN", "--max-images", "2", "FILE"],
        ["score", "--max-images", "2", "RUN", "--data.levels", "4", "FILE"],
        ["classify", "--max-images=2", "RUN", "FILE"],
        ["conditional", "RUN", "--site", "1,1", "FILE", "--max-images", "2"],
        ["complete", "RUN", "--missing", "top", "FILE", "--max-images", "2"],
    ],
    ids=" ".join,
)
def test_files_stand_before_or_after_options(words):
    args = parse(words)
    assert (args.command, args.run, args.files, args.max_images) == (words[0], "RUN", ["FILE"], 2)


def test_runs_stand_before_or_after_options():
    assert parse(["compare", "a", "--quick", "b", "--seed", "1", "c"]).runs == ["a", "b", "c"]
    assert parse(["app", "a", "--port", "9000", "b"]).runs == ["a", "b"]
    assert parse(["info", "--json", "a"]).run == "a"


def test_settings_stand_anywhere_and_do_not_become_positional():
    args = parse(["evaluate", "--data.max_samples", "5", "run", "--data.levels=2"])
    assert args.run == "run"
    assert args.settings == ["--data.max_samples", "5", "--data.levels=2"]


def test_a_setting_without_a_value_is_left_to_the_configuration():
    assert split_settings(["--data.levels"]) == ([], ["--data.levels"])


def test_a_misspelt_section_is_left_to_the_configuration_too():
    assert split_settings(["--trainng.max_epochs", "5"])[1] == ["--trainng.max_epochs", "5"]


@pytest.fixture
def refusal(capsys):
    """Parses words that must be refused; returns the line."""

    def run(*words):
        with pytest.raises(SystemExit):
            parse(words)
        return capsys.readouterr().err

    return run


def test_the_nearest_word_is_suggested(refusal):
    assert "There is no command `smaple`. Did you mean `sample`?" in refusal("smaple", "digits")
    assert "There is no option `--temp`. Did you mean `--temperature`?" in (
        refusal("sample", "digits", "--temp", "1")
    )
    assert "`--split` must be one of train, val, test, got `tset`. " in (
        refusal("score", "digits", "--split", "tset")
    )


def test_a_refusal_names_the_help_of_its_command(refusal):
    for words in (["score", "run", "--labl", "1"], ["score", "run", "--batch-size", "0"]):
        assert refusal(*words).endswith("See `pixelcnn score --help`.\n")
    assert "`marginal` takes no settings such as --data.levels. See `pixelcnn marginal --help`" in (
        refusal("marginal", "run", "--site", "0,0", "--data.levels", "2")
    )


def test_the_error_for_a_negative_site_shows_the_form(refusal):
    assert "written --site=-…" in refusal("marginal", "run", "--site", "-1,0")
    assert "CHANNEL,ROW,COLUMN, from 0, got '-1,0'" in refusal("marginal", "run", "--site=-1,0")


def test_blanks_in_a_site_do_not_matter():
    assert site("2, 4") == site("2,4") == (2, 4)


@pytest.mark.parametrize("command", ["score", "classify", "complete", "evaluate", "verify"])
def test_nothing_is_written_to_an_empty_name(command, refusal):
    assert "`--out` must name a place" in refusal(command, "run", "--out", "")


def test_seeds_are_those_of_python():
    assert non_negative(str(2**64 - 1)) == 2**64 - 1


def test_sizes_are_height_by_width():
    assert [size("40x20"), size("8"), size("8X9")] == [(40, 20), (8, 8), (8, 9)]


@pytest.mark.parametrize(
    ("typed", "methods"),
    [(CONDITIONAL_METHODS, LIBRARY_CONDITIONALS), (COMPLETION_METHODS, LIBRARY_COMPLETIONS)],
)
def test_methods_and_their_options_are_those_of_the_library(typed, methods):
    assert typed.keys() == methods.keys()
    for name, options in typed.items():
        parameters = inspect.signature(methods[name]).parameters
        for option, default in options.items():
            in_words = isinstance(default, str)  # where it depends on other options
            assert parameters[option].default == (None if in_words else default)
