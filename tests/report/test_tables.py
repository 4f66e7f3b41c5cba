"""Tables hold the measurements under the right headings."""

from dataclasses import replace

from pixelcnn.metrics import MetricResults
from pixelcnn.report.tables import by_class, overview, reasons_of, settings, significance


def test_the_tables_hold_the_measurements(found, variants):
    table = overview(found)
    first = dict(zip(table.head, table.rows[0], strict=True))
    assert first["architecture"] == "pixelcnn"
    assert first["parameters"] == f"{variants[0].model.num_parameters:,}"
    assert first["NLL of p(x), nats"].startswith(f"{found.measured[0].nll.mean():.2f} ± ")
    assert first["FID"] == f"{found.measured[0].quality.values['fid']:.2f}"
    assert first["label accuracy"] == first["training, s"] == "–"
    assert any("not conditioned on labels" in note for note in table.notes)
    assert significance(found).rows[0][1] == "–"
    classes = by_class(found)
    assert [row[0] for row in classes.rows] == list("0123456789")
    right = sum(int(row[3].split()[0]) for row in classes.rows)
    assert right == int(found.measured[1].recognised.sum())
    assert settings(found).rows == [["seed", "0", "1"], ["model.num_labels", "–", "10"]]


def test_a_reason_for_missing_metrics_is_given_once_for_all_models(found):
    few = [
        MetricResults.without("fid", "recall", "too few"),
        MetricResults.without("fid", "too few"),
    ]
    measured = [replace(m, quality=j) for m, j in zip(found.measured, few, strict=True)]
    two = replace(
        found,
        variants=[replace(v, name=n) for v, n in zip(found.variants, "ab", strict=True)],
        measured=measured,
    )
    assert reasons_of(two) == [
        "Not measured: FID of a, b: too few.",
        "Not measured: recall of a: too few.",
    ]


def test_a_caution_about_features_is_passed_on(found):
    quality = MetricResults({}, protocol={"features": "Inception", "caution": "they mean little"})
    wary = replace(found, measured=[replace(each, quality=quality) for each in found.measured])
    assert "Caution: they mean little." in overview(wary).notes
    assert not any("Caution" in note for note in overview(found).notes)


def test_every_metric_stands_under_its_own_heading(found):
    figures = {"fid": 7.25, "precision": 0.25, "recall": 0.75, "label_accuracy": 0.5}
    quality = MetricResults({**figures, "label_accuracy_ci95": [0.4, 0.6]})
    named = replace(
        found, measured=[found.measured[0], replace(found.measured[1], quality=quality)]
    )
    table = overview(named)
    cells = dict(zip(table.head, table.rows[1], strict=True))
    assert [cells["FID"], cells["precision"], cells["recall"]] == ["7.25", "25.0 %", "75.0 %"]
    assert cells["label accuracy"] == "50.0 %"
    assert cells["NLL given condition, nats"].startswith(
        f"{found.measured[1].nll_conditional.mean():.2f} ± "
    )


def test_a_class_has_the_nll_of_its_own_images(found):
    table, labels = by_class(found), found.images.labels
    for row, label in enumerate(labels.unique(sorted=True)):
        means = [measured.nll[labels == label].mean() for measured in found.measured]
        assert table.rows[row][1:3] == [f"{mean:.2f}" for mean in means]
        assert (row, 1 + means.index(min(means))) in table.best
        right = found.measured[1].recognised[found.measured[1].samples.cond == label]
        assert table.rows[row][3] == f"{right.sum()} of {len(right)}"
    assert len(table.best) == len(table.rows)
