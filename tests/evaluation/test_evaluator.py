"""All metrics of a model in one call."""

import json
import math

import pytest
import torch
from torch.utils.data import DataLoader

import pixelcnn
from pixelcnn.data import TensorImageSet, batches, load_data
from pixelcnn.errors import CheckpointError, ConfigError, MetricNotMeasuredError, ShapeError
from pixelcnn.evaluation import PixelCNNEvaluator, evaluate
from pixelcnn.evaluation.sample_quality import (
    GeneratedSamples,
    classifier_accuracy,
    generate_like,
    label_accuracy,
    memorisation_metrics,
)
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.metrics import ClassifierFeatures, InceptionFeatures, PerceptualDistance
from pixelcnn.models import PixelCNN
from tests.metrics.made import random_classifier, save_squeezenet

METRICS = {
    "fid", "kid", "kid_sd", "inception_score", "inception_score_sd", "precision", "recall",
    "lpips_diversity", "lpips_diversity_stderr", "perceptual_distance",
    "perceptual_distance_stderr", "nearest_training_distance", "label_accuracy",
    "label_accuracy_ci95", "classifier_test_accuracy",
}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return load_data("digits")


@pytest.fixture(scope="module")
def model():
    return pixelcnn.load("digits")


def tiny(**options) -> PixelCNN:
    torch.manual_seed(0)
    settings = {"num_classes": 17, "hidden_channels": 4, "num_residual_blocks": 1, **options}
    return PixelCNN(**settings).eval()


def test_by_default_the_likelihood_is_measured_and_no_sample_generated(data, model):
    found = PixelCNNEvaluator("cpu").evaluate_model(model, batches(data.test, 100))
    expected = evaluate(model, data.test)
    assert {name: found[name] for name in expected} == expected
    assert found["num_images"] == 355
    assert found["protocol"] == "355 images of 17 levels, 1×8×8; p(x | label)"
    assert not METRICS & found.keys()


def test_intervals_hold_the_metrics_and_follow_from_one_another(data, model):
    found = evaluate(model, data.test)
    low, high = found["nll_nats_ci95"]
    assert low < found["nll_nats"] < high
    assert high - low == pytest.approx(2 * 1.96 * found["nll_nats_stderr"], rel=0.1)
    assert found["bits_per_dim_ci95"] == pytest.approx(
        [low / 64 / math.log(2), high / 64 / math.log(2)]
    )
    assert found["perplexity_ci95"] == pytest.approx([math.exp(low / 64), math.exp(high / 64)])


def test_every_metric_is_measured_with_its_protocol(data, model, tmp_path):
    evaluator = PixelCNNEvaluator(
        features=ClassifierFeatures("digits"),
        perceptual=PerceptualDistance("squeeze", weights=save_squeezenet(tmp_path / "s.pth")),
    )
    found = evaluator.evaluate_model(
        model, data.test, train=data.train, num_generated=120, seed=3, protocol=data.protocol
    )
    assert found.keys() >= METRICS
    assert all(found[name] is not None for name in METRICS)
    assert found["not_measured"] == {}
    assert found["protocol"] == data.protocol
    said = found["samples_protocol"]
    assert (said["num_generated"], said["num_real"], said["num_train"]) == (120, 355, 1298)
    assert (said["seed"], said["temperature"], said["condition"]) == (3, 1.0, "labels")
    assert (said["features"], said["lpips"]) == ("classifier digits", "squeeze")
    assert (said["lpips_diversity_pairs"], said["perceptual_distance_images"]) == (60, 120)
    assert found["label_accuracy"] > 0.8
    assert found["classifier_test_accuracy"] == pytest.approx(said["classifier_reported_accuracy"])
    assert 0.3 < found["nearest_training_distance"]["nearer_than_test"] < 0.7
    json.dumps(found, allow_nan=False)


def test_as_many_samples_are_generated_as_there_are_images_up_to_a_limit(data, monkeypatch):
    few = data.val.take(torch.arange(9))
    monkeypatch.setattr("pixelcnn.evaluation.evaluator.MOST_GENERATED", 6)
    for images, count in ((few, 6), (few.take(torch.arange(5)), 5)):
        found = PixelCNNEvaluator().evaluate_model(tiny(), images, train=data.train)
        assert found["samples_protocol"]["num_generated"] == count


def test_max_samples_evaluates_the_first_images(data, model):
    found = PixelCNNEvaluator().evaluate_model(model, data.test, max_samples=7)
    first = evaluate(model, data.test.take(torch.arange(7)))
    assert (found["num_images"], found["nll_nats"]) == (7, pytest.approx(first["nll_nats"]))


def test_metrics_that_were_not_requested_have_a_reason_and_no_value(data):
    found = PixelCNNEvaluator(features=None).evaluate_model(tiny(), data.val, num_generated=3)
    assert {name for name, value in found.items() if value is None} == METRICS
    assert found["not_measured"].keys() == METRICS
    assert found["not_measured"]["fid"] == "no `features` were chosen"
    with pytest.raises(MetricNotMeasuredError, match=r"`fid` was not measured: no `features`"):
        found["fid"]
    assert json.loads(json.dumps(found))["fid"] is None
    assert found["not_measured"]["lpips_diversity"] == "LPIPS was not requested"
    assert found["samples_protocol"]["condition"] is None


def test_a_model_without_labels_has_no_label_accuracy(data):
    evaluator = PixelCNNEvaluator(features=ClassifierFeatures("digits"))
    found = evaluator.evaluate_model(tiny(), data.val, num_generated=20)
    assert found.get("label_accuracy") is None
    assert "not conditioned on labels" in found["not_measured"]["label_accuracy"]
    assert "at least 65" in found["not_measured"]["fid"]
    assert found["precision"] is not None


def test_samples_are_those_of_the_sampler_conditioned_on_the_real_images_labels(data, model):
    samples = generate_like(model, data.val, num_generated=200, seed=5, batch_size=64)
    labels = data.val.labels[torch.arange(200) % 144]
    assert torch.equal(samples.cond, labels)
    expected = PixelCNNSampler(model).generate_samples(200, cond=labels, seed=5, batch_size=64)
    assert torch.equal(samples.x.long(), expected)


def test_progress_is_that_of_scoring_then_that_of_sampling(data):
    steps = []
    model = tiny(num_labels=10, label_dropout=0.1)
    PixelCNNEvaluator().evaluate_model(
        model, data.val, num_generated=5, batch_size=64, progress=lambda *step: steps.append(step)
    )
    scored = [step for step in steps if step[0] == "scoring images"]
    assert [done for _, done, _ in scored] == [64, 128, 144, 208, 272, 288]  # with and without
    assert {total for *_, total in scored} == {288}
    sampled = steps[len(scored) :]
    assert sampled[-1] == ("sampling", 5 * 64, 5 * 64)
    assert sampled == sorted(sampled)


def test_a_metric_of_samples_says_how_to_request_it(data, model):
    found = PixelCNNEvaluator().evaluate_model(model, data.val)
    assert "not_measured" not in found
    for error in (MetricNotMeasuredError, KeyError):
        with pytest.raises(error, match=r"`fid` is .*`evaluate_model\(…, num_generated=500\)`"):
            found["fid"]
    with pytest.raises(KeyError, match="nonsense"):
        found["nonsense"]


def test_the_default_features_are_the_bundled_classifier_where_it_recognises_the_images(data):
    found = PixelCNNEvaluator().evaluate_model(tiny(), data.test, num_generated=65)
    assert found["fid"] > 0
    assert found["samples_protocol"]["features"] == "classifier digits"
    assert found["samples_protocol"]["caution"] is None
    bare = PixelCNNEvaluator().evaluate_model(tiny(), data.test.with_labels(None), num_generated=65)
    assert bare["fid"] == pytest.approx(found["fid"])
    assert "by the shape of the images alone" in bare["samples_protocol"]["caution"]
    others = data.test.with_labels((data.test.labels + 1) % 10)
    with pytest.raises(MetricNotMeasuredError, match=r"no bundled classifier.*train-classifier"):
        PixelCNNEvaluator().evaluate_model(tiny(), others, num_generated=65)["fid"]


def test_missing_weights_of_inception_are_the_reason_for_photographs(monkeypatch):
    images = TensorImageSet(torch.randint(256, (3, 3, 32, 32)), levels=256)
    model = tiny(in_channels=3, num_classes=256, hidden_channels=6)

    def offline(self):
        raise CheckpointError("The weights of Inception are missing.")

    monkeypatch.setattr(InceptionFeatures, "options", property(offline))
    monkeypatch.setattr(PixelCNNSampler, "generate_samples", lambda *_, **__: images.images.long())
    found = PixelCNNEvaluator().evaluate_model(model, images, num_generated=3)
    with pytest.raises(MetricNotMeasuredError, match=r"`fid`.*weights of Inception are missing"):
        found["fid"]


def test_label_accuracy_is_the_share_that_the_classifier_finds(data):
    x, labels = data.test.images, data.test.labels
    features = ClassifierFeatures("digits")
    cond = labels.clone()
    cond[:100] = (cond[:100] + 1) % 10
    condition = tiny(num_labels=10).condition
    samples = GeneratedSamples(x, cond, x, labels, data.spec, condition, seed=0)
    right = (features.classifier.network.predict(x) == cond).double().mean().item()
    found = label_accuracy(samples, features).values
    assert found["label_accuracy"] == pytest.approx(right)
    low, high = found["label_accuracy_ci95"]
    assert low < right < high
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(right * (1 - right) / 355), rel=0.02)
    samples = GeneratedSamples(
        x[:9], features.classifier.network.predict(x[:9]), x, labels, data.spec, condition, 0
    )
    found = label_accuracy(samples, features).values
    # Nine right ones of nine do not say that all are: by Wilson, 1 - z² / (9 + z²).
    assert found["label_accuracy"] == 1
    assert found["label_accuracy_ci95"] == pytest.approx([0.7009, 1], abs=1e-4)


def test_labels_of_another_meaning_are_not_compared(data):
    x, labels = data.test.images, data.test.labels
    few = tiny(num_labels=3).condition
    samples = GeneratedSamples(x, labels % 3, x, labels, data.spec, few, seed=0)
    reason = label_accuracy(samples, ClassifierFeatures("digits")).not_measured["label_accuracy"]
    assert reason == "the model has 3 labels, but the classifier digits 10"
    named = tiny(num_labels=10)
    named.name_condition([f"digit {number}" for number in range(10)])
    samples = GeneratedSamples(x, labels, x, labels, data.spec, named.condition, seed=0)
    reason = label_accuracy(samples, ClassifierFeatures("digits")).not_measured["label_accuracy"]
    assert "are not those of the classifier digits (0, 1" in reason
    # The numbers of the real labels are those of the model then, and mean something else, too.
    assert classifier_accuracy(samples, ClassifierFeatures("digits")).not_measured == {
        "classifier_test_accuracy": reason
    }
    reason = label_accuracy(samples, InceptionFeatures()).not_measured["label_accuracy"]
    assert "needs the features of a classifier" in reason


def test_copies_of_training_images_are_detected(data):
    x = data.train.images[:100]
    samples = GeneratedSamples(x, None, data.test.images, None, data.spec, tiny().condition, seed=0)
    found = memorisation_metrics(samples, data.train).values["nearest_training_distance"]
    assert found["copies"] == 100
    assert found["copies_in_test"] == 0
    assert found["nearer_than_test"] == found["near_copies"] == 1
    assert found["generated"]["q99"] == 0 < found["test"]["q01"]
    alone = memorisation_metrics(samples, data.train.take(torch.arange(1)))
    assert alone.values["nearest_training_distance"] is None
    assert alone.not_measured["nearest_training_distance"].endswith("2 training images, got 1")


def test_a_loader_of_pytorch_is_evaluated_like_the_set(data, model):
    pairs = torch.utils.data.TensorDataset(data.test.images.long(), data.test.labels)
    found = PixelCNNEvaluator().evaluate_model(model, DataLoader(pairs, batch_size=77))
    assert found["nll_nats"] == pytest.approx(evaluate(model, data.test)["nll_nats"], rel=1e-6)


def test_what_was_assumed_of_floats_is_part_of_the_protocol(data, model):
    pairs = torch.utils.data.TensorDataset(data.test.images / 16, data.test.labels)
    found = PixelCNNEvaluator().evaluate_model(model, DataLoader(pairs, batch_size=77))
    assert found["nll_nats"] == pytest.approx(evaluate(model, data.test)["nll_nats"], rel=1e-6)
    assert found["protocol"].endswith("; p(x | label); floats in [0, 1] read as 17 levels")


def test_images_and_options_that_do_not_fit_are_refused_before_sampling(data, monkeypatch):
    monkeypatch.setattr(PixelCNNSampler, "generate_samples", None)
    binary = TensorImageSet(torch.zeros(5, 1, 8, 8).long(), levels=2)
    other = ClassifierFeatures(random_classifier(data.spec.__class__(1, 8, 8, 2)))
    with pytest.raises(ShapeError, match="17 levels in 1 channel, got 2 levels"):
        PixelCNNEvaluator().evaluate_model(tiny(), binary)
    with pytest.raises(ConfigError, match="for images of 1×8×8 of 2 levels, got 1×8×8 of 17"):
        PixelCNNEvaluator(features=other).evaluate_model(tiny(), data.val)
    with pytest.raises(ConfigError, match="num_generated"):
        PixelCNNEvaluator().evaluate_model(tiny(), data.val, num_generated=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": "classifier"}, '`features` must be "default", None or features, got .class'),
        ({"perceptual": True}, "`perceptual` must be a `PerceptualDistance` or None, got True"),
        ({"device": tiny()}, "`device` must be auto, .*, got a PixelCNN"),
        ({"device": "gpu"}, "`device` must be auto, .*, got 'gpu'"),
    ],
)
def test_other_arguments_of_an_evaluator_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        PixelCNNEvaluator(**options)


def test_other_than_a_model_and_a_loader_are_refused(data):
    evaluator = PixelCNNEvaluator()
    with pytest.raises(ConfigError, match=r'Use `pixelcnn.load\("digits"\)`'):
        evaluator.evaluate_model("digits", data.test)
    with pytest.raises(ConfigError, match=r"The images must be a split .*, got None\."):
        evaluator.evaluate_model(tiny(), None)
    with pytest.raises(ConfigError, match=r'Use `pixelcnn.load_data\("digits"\).test`'):
        evaluator.evaluate_model(tiny(), "digits")
    with pytest.raises(ConfigError, match=r"`num_generated` must be a whole number, got 2\.5"):
        evaluator.evaluate_model(tiny(), data.test, num_generated=2.5)
