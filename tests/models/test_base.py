import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.models import MODELS, PixelCNN, build


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


def test_generate_draws_the_shape_asked_for(name):
    x = build(name, num_classes=5).generate(shape=(1, 4, 7), num_samples=3)
    assert x.shape == (3, 1, 4, 7)
    assert x.dtype == torch.int64
    assert x.min() >= 0 and x.max() < 5


def test_the_same_weights_draw_any_size(name):
    model = build(name, image_size=(4, 5))
    assert model.generate(num_samples=1).shape == (1, 1, 4, 5)
    assert model.generate((1, 6, 2), num_samples=1).shape == (1, 1, 6, 2)


def test_one_generator_seed_gives_one_image(name):
    model = build(name, image_size=6)
    draws = [model.generate(generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_without_a_generator_the_global_seed_decides(name):
    model = build(name, image_size=6)
    draws = []
    for _ in range(2):
        torch.manual_seed(7)
        draws.append(model.generate())
    assert torch.equal(*draws)


def test_top_k_of_one_draws_the_most_probable_level(name):
    model = build(name, image_size=4, num_classes=3)
    x = model.generate(num_samples=4, top_k=1)
    assert (x == x[:1]).all()


def test_a_single_label_stands_for_all_images(name):
    model = build(name, image_size=4, num_labels=3)
    x = model.generate(num_samples=2, cond=2, top_k=1)
    assert torch.equal(model.log_prob(x, 2), model.log_prob(x, torch.tensor([2, 2])))


def test_a_model_without_a_size_samples_32_by_32_and_says_so(caplog):
    model = PixelCNN(in_channels=3, hidden_channels=6, num_residual_blocks=1, num_classes=2)
    assert model.generate(num_samples=1).shape == (1, 3, 32, 32)
    (line,) = caplog.messages
    assert line.startswith("The model has no `image_size`: sampling images of shape (3, 32, 32).")
    with pytest.raises(ConfigError, match="image_size"):
        model.spec  # noqa: B018


def test_seed_decides_the_images_as_that_of_the_sampler_does(name):
    model = build(name, image_size=4, num_labels=3)
    options = {"cond": 1, "seed": 5, "temperature": 0.8, "batch_size": 2}
    x = model.generate(num_samples=5, **options)
    assert torch.equal(x, PixelCNNSampler(model).generate_samples(5, **options))
    assert not torch.equal(x, model.generate(num_samples=5, **options | {"seed": 6}))
    with pytest.raises(ConfigError, match="`seed` or `generator`, not both"):
        model.generate(cond=1, seed=1, generator=torch.Generator())


def test_an_unknown_option_of_sampling_suggests_the_nearest(name):
    with pytest.raises(ConfigError, match=r"`temprature` .* Did you mean `temperature`\?"):
        build(name, image_size=4).generate(temprature=0.5)


def test_size_may_be_set_later_and_is_kept(name):
    model = build(name)
    model.image_size = (4, 6)
    assert model.spec.shape == (1, 4, 6)
    assert build(name, **model.config).image_size == (4, 6)


def test_config_builds_the_same_architecture(name):
    model = build(name, in_channels=3, num_classes=7, image_size=8, num_labels=2)
    again = build(name, **model.config)
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (model, again)]
    assert shapes[0] == shapes[1]
    assert again.config == model.config


@pytest.mark.parametrize(
    ("x", "word"),
    [
        (torch.zeros(2, 3, 4, 4, dtype=torch.int64), r"\(B, 1, H, W\)"),
        (torch.zeros(4, 4, dtype=torch.int64), r"\(B, 1, H, W\)"),
        (torch.zeros(2, 1, 4, 4), "integer levels"),
        (torch.full((2, 1, 4, 4), 2), r"\[0, 2\)"),
    ],
)
def test_images_that_do_not_fit_are_refused(name, x, word):
    with pytest.raises(ShapeError, match=word):
        build(name, num_classes=2).log_prob(x)


def test_drawing_checks_its_arguments(name):
    model = build(name, image_size=4, num_labels=3)
    with pytest.raises(ShapeError, match="C = 1"):
        model.generate((3, 4, 4), cond=0)
    with pytest.raises(ConfigError, match="num_samples"):
        model.generate(num_samples=0, cond=0)
    with pytest.raises(ShapeError, match="from 0 to 2"):
        model.generate(cond=3)
    with pytest.raises(ShapeError, match="needs `cond`"):
        model.generate()


def test_one_attribute_vector_or_map_stands_for_all_images(name):
    for kind, one in (("num_attributes", [1.0, 0.0]), ("num_map_channels", torch.rand(2, 4, 5))):
        model = build(name, image_size=(4, 5), **{kind: 2}).eval()
        x = model.generate(num_samples=5, cond=one)
        each = torch.as_tensor(one).expand(5, *torch.as_tensor(one).shape)
        assert torch.equal(model.log_prob(x, one), model.log_prob(x, each))


def test_unchecked_scores_are_the_same(name):
    model = build(name)
    x = torch.randint(2, (2, 1, 4, 4))
    assert torch.equal(model.log_prob(x, check=False), model.log_prob(x))


def test_small_integers_score_like_large_ones(name):
    model = build(name, num_classes=256)
    x = torch.randint(256, (2, 1, 4, 4))
    assert torch.equal(model.log_prob(x.to(torch.uint8)), model.log_prob(x))


def test_a_first_batch_sets_a_model_once_and_keeps_its_mode(name):
    model = build(name, num_labels=3).train()
    x = torch.randint(2, (4, 1, 5, 6))
    model.initialise(x, 1)
    once = {key: value.clone() for key, value in model.state_dict().items()}
    assert model.training
    model.initialise(1 - x, 2)
    assert all(torch.equal(once[key], value) for key, value in model.state_dict().items())
    with pytest.raises(ShapeError, match=r"\(B, 1, H, W\)"):
        model.initialise(x[0])


def test_unknown_architectures_are_refused():
    with pytest.raises(ConfigError, match=r"one of pixelcnn, .* Did you mean `pixelcnn`"):
        build("pixelrnn")


def test_a_call_checks_what_it_is_given(name):
    model = build(name, num_classes=4)
    with pytest.raises(ShapeError, match=r"got dtype torch.float32. Use `pixelcnn\.quantise\(x, 4"):
        model(torch.rand(2, 1, 4, 4))
    with pytest.raises(ShapeError, match=r"`x` must have shape .* Use `x\[:, None\]`"):
        model(torch.zeros(2, 4, 4, dtype=torch.int64))
    with pytest.raises(ShapeError, match=r"got values from 4 to 4"):
        model(torch.full((1, 1, 4, 4), 4))
    with pytest.raises(ShapeError, match=r"Use `torch\.as_tensor\(x\)`"):
        model([[0]])


def test_binary_images_may_be_floats_of_0_and_1(name):
    model = build(name, num_classes=2).eval()
    x = torch.randint(2, (2, 1, 4, 4))
    assert torch.equal(model(x.float()), model(x))
    with pytest.raises(ShapeError, match="integer levels"):
        model(x / 2)


def test_exported_and_compiled_models_check_nothing(name):
    few = {
        "pixelcnn": {"num_residual_blocks": 1},
        "gated": {"num_layers": 1},
        "pixelcnnpp": {"num_resnets": 1, "num_resolutions": 1},
        "pixelsnail": {"num_blocks": 1, "num_resnets": 1},
    }
    model = build(name, num_classes=4, hidden_channels=8, **few.get(name, {})).eval()
    x = torch.randint(4, (2, 1, 4, 4))
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), model(x))


@pytest.mark.parametrize("method", ["log_prob", "site_log_prob"])
def test_arrays_are_refused_with_the_way_to_tensors(method):
    model = build("pixelcnn", num_classes=2, num_labels=3)
    with pytest.raises(ShapeError, match=r"got ndarray\. Use `torch\.as_tensor\(x\)`"):
        getattr(model, method)(torch.zeros(2, 1, 4, 4).long().numpy(), [1, 2])
