import torch

from pixelcnn.data.sources.digits import read_digits


def test_digits_are_real_images_of_seventeen_levels():
    source = read_digits()
    assert source.train.spec.shape == (1, 8, 8)
    assert source.train.images.unique().tolist() == list(range(17))
    assert source.label_names == tuple("0123456789")


def test_the_test_split_has_a_fifth_of_every_class():
    source = read_digits()
    tested, trained = source.test.labels.bincount(), source.train.labels.bincount()
    assert torch.equal(tested, (tested + trained) // 5)
    assert len(source.test) + len(source.train) == 1797


def test_no_test_image_is_a_training_image():
    from sklearn.datasets import load_digits

    source = read_digits()
    both = torch.cat([source.train.images, source.test.images]).flatten(1)
    published = torch.from_numpy(load_digits().data).to(torch.uint8)
    assert sorted(map(tuple, both.tolist())) == sorted(map(tuple, published.tolist()))
