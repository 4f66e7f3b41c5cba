import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.nn import Condition, ConditionBias, Cursor
from pixelcnn.order import Front

X = torch.zeros(2, 1, 4, 5, dtype=torch.int64)


def test_kinds_exclude_each_other():
    with pytest.raises(ConfigError, match=r"num_labels.*num_attributes"):
        Condition(num_labels=3, num_attributes=2)
    with pytest.raises(ConfigError, match="at least 1"):
        Condition(num_labels=0)


@pytest.mark.parametrize(
    ("condition", "cond", "word"),
    [
        (Condition(), torch.tensor([0, 1]), "unconditional"),
        (Condition(num_labels=3), None, "from 0 to 2"),
        (Condition(num_labels=3), torch.tensor([0, 3]), "from 0 to 2"),
        (Condition(num_labels=3, label_dropout=0.1), torch.tensor([0, 3]), "from 0 to 2"),
        (Condition(num_labels=3), torch.tensor([0, -1]), "from 0 to 2"),
        (Condition(num_labels=3), torch.tensor([0.0, 1.0]), "an integer .* got dtype"),
        (Condition(num_labels=3), torch.tensor([0]), r"\(2,\)"),
        (Condition(num_attributes=4), torch.zeros(2, 3), r"\(2, 4\)"),
        (Condition(num_map_channels=1), torch.zeros(2, 1, 5, 4), r"\(2, 1, 4, 5\).*Scale the maps"),
    ],
)
def test_conditions_that_do_not_fit_are_refused_in_words(condition, cond, word):
    with pytest.raises(ShapeError, match=word):
        condition.check(cond, X)


@pytest.mark.parametrize(
    ("condition", "cond"),
    [
        (Condition(), None),
        (Condition(num_labels=3), torch.tensor([0, 2])),
        (Condition(num_attributes=4), torch.zeros(2, 4)),
        (Condition(num_map_channels=1), torch.zeros(2, 1, 4, 5)),
    ],
)
def test_conditions_that_fit_pass(condition, cond):
    condition.check(cond, X)
    assert condition.is_none == (cond is None)


def test_names_are_listed_with_what_they_stand_for():
    animals = Condition(num_labels=3, names=("ant", "cat"))
    with pytest.raises(ShapeError, match=r"needs `cond`: .* from 0 to 2 \(0 ant, 1 cat\)"):
        animals.check(None, X)
    faces = Condition(num_attributes=2, names=("Male", "Smiling"))
    with pytest.raises(ShapeError, match=r"2 attributes .* \(Male, Smiling\), .* got shape \(2, 3"):
        faces.check(torch.zeros(2, 3), X)
    with pytest.raises(ConfigError, match="at most one name for each of 2 attributes, got a, b, c"):
        Condition(num_attributes=2, names=("a", "b", "c"))
    assert Condition(num_labels=3, names=("0", "1", "2")).describe().endswith("from 0 to 2")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_attributes_and_maps_must_be_finite(value):
    with pytest.raises(ShapeError, match="finite"):
        Condition(num_attributes=2).check(torch.full((2, 2), value), X)
    with pytest.raises(ShapeError, match="finite"):
        Condition(num_map_channels=1).check(torch.full((2, 1, 4, 5), value), X)


def test_labels_pick_their_bias_and_a_new_condition_changes_nothing():
    bias = ConditionBias(Condition(num_labels=3), 2)
    assert (bias(torch.tensor([0, 2])) == 0).all()
    torch.nn.init.normal_(bias.weight)
    assert torch.equal(bias(torch.tensor([2, 0]))[:, 0, 0], bias.weight[[2, 0]])


def test_maps_bias_each_pixel_by_itself():
    bias = ConditionBias(Condition(num_map_channels=2), 3)
    torch.nn.init.normal_(bias.weight)
    planes = torch.randn(1, 2, 4, 5)
    assert bias(planes).shape == (1, 4, 5, 3)
    torch.testing.assert_close(bias(planes)[0, 1, 2], planes[0, :, 1, 2] @ bias.weight)


def test_only_a_condition_can_be_left_out():
    Condition(num_labels=3, label_dropout=0.1).check(None, X)
    assert "None for no label" in Condition(num_labels=3, label_dropout=0.1).describe()
    Condition(num_attributes=3, label_dropout=0.1).check(None, X)
    assert "None for no attributes" in Condition(num_attributes=2, label_dropout=0.1).describe()
    with pytest.raises(ConfigError, match=r"needs `num_labels`, .* got 0\.1 without them"):
        Condition(label_dropout=0.1)
    for share in (-0.1, 1.0, float("nan")):
        with pytest.raises(ConfigError, match="`label_dropout` must be in"):
            Condition(num_labels=3, label_dropout=share)


@pytest.mark.parametrize(
    ("condition", "guidance", "word"),
    [
        (Condition(num_labels=3, label_dropout=0.1), -1.0, "from 0 to"),
        (Condition(num_labels=3, label_dropout=0.1), float("inf"), "from 0 to"),
        (Condition(num_labels=3, label_dropout=0.1), float("nan"), "from 0 to"),
        (Condition(num_labels=3), 0.0, "Train it with `label_dropout`"),
        (Condition(num_attributes=3), 2.0, "without its attributes, got 2.0"),
        (Condition(), 2.0, "without labels, got 2.0"),
    ],
)
def test_guidance_that_does_not_fit_is_refused_in_words(condition, guidance, word):
    condition.check_guidance(1.0)
    with pytest.raises(ConfigError, match=word):
        condition.check_guidance(guidance)


def test_labels_are_left_out_as_often_as_said():
    torch.manual_seed(0)
    count, share = 20_000, 0.3
    labels = torch.arange(count, dtype=torch.uint8) % 3
    dropped = Condition(num_labels=3, label_dropout=share).drop(labels)
    is_none = dropped == 3
    assert torch.equal(dropped[~is_none], labels[~is_none].long())
    deviation = (count * share * (1 - share)) ** 0.5
    assert abs(is_none.sum().item() - count * share) < 5 * deviation  # 1 in 1.7 million fails


def test_nothing_is_left_out_without_label_dropout():
    labels = torch.tensor([0, 1, 2])
    assert Condition(num_labels=3).drop(labels) is labels
    assert Condition(num_labels=3, label_dropout=0.5).drop(None) is None


@pytest.mark.parametrize(
    ("condition", "cond"),
    [
        (Condition(num_attributes=2, label_dropout=0.5), torch.rand(64, 2) + 1),
        (Condition(num_map_channels=2, label_dropout=0.5), torch.rand(64, 2, 3, 4) + 1),
    ],
)
def test_attributes_and_maps_left_out_have_the_bias_of_none(condition, cond):
    bias = ConditionBias(condition, 4)
    torch.nn.init.normal_(bias.weight)
    torch.manual_seed(0)
    dropped = condition.drop(cond)
    is_none = dropped[:, 2].flatten(1).amax(1) == 1 if cond.ndim > 2 else dropped[:, 2] == 1
    assert 16 < is_none.sum() < 48
    size = (64, *bias(cond).shape[1:])
    assert torch.equal(bias(dropped)[is_none], bias(None).expand(size)[is_none])
    torch.testing.assert_close(bias(dropped)[~is_none], bias(cond)[~is_none])


def test_no_label_has_the_bias_of_the_last_row():
    bias = ConditionBias(Condition(num_labels=3, label_dropout=0.1), 4)
    torch.nn.init.normal_(bias.weight)
    assert bias.weight.shape == (4, 4)
    assert torch.equal(bias(None), bias(torch.tensor([3])))
    for group in (0, 1):
        cursor = Cursor(2, 4, 5, groups=2)
        for channel in range(group + 1):
            cursor.move(Front(channel, 0, 0))
        expected = bias.weight[3].view(2, 2)[group].expand(2, 2)
        assert torch.equal(bias(None, cursor), expected)
        assert torch.equal(bias.of_rows(None, cursor), bias.weight[3].expand(2, 5, 4))


def test_a_bias_that_needs_a_label_says_so():
    with pytest.raises(ShapeError, match="needs `cond`"):
        ConditionBias(Condition(num_labels=3), 4)(None)


def test_a_row_gets_the_bias_that_the_image_has_there():
    for condition, cond in (
        (Condition(num_labels=3), torch.tensor([2, 0])),
        (Condition(num_map_channels=2), torch.randn(2, 2, 4, 5)),
    ):
        bias = ConditionBias(condition, 3)
        torch.nn.init.normal_(bias.weight)
        whole = bias.of_rows(cond).expand(2, 4, 5, 3)
        assert torch.equal(whole, bias(cond).expand(2, 4, 5, 3))
        cursor = Cursor(2, 4, 5)
        for row in (0, 3):
            cursor.move(Front(0, row, 0))
            torch.testing.assert_close(bias.of_rows(cond, cursor), whole[:, row])


def test_a_bias_without_a_condition_is_refused():
    with pytest.raises(ConfigError, match="unconditional"):
        ConditionBias(Condition(), 2)
