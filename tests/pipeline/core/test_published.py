"""What vouches for a dataset, and when it no longer does."""

from pipeline.core.published import (
    Published,
    publish,
    published_path,
    read_published,
    replaced_source,
)


def test_a_declaration_comes_back_as_it_was(tmp_path):
    whole = Published("a", {"spectra": 3}, {"sample": "b"}, {"infer": ("c", 2)}, {"model": "d"},
                      {"infer.batch_size": 8})  # fmt: skip
    publish(tmp_path, "predictions", whole)
    assert read_published(tmp_path, "predictions") == whole


def test_the_same_dataset_under_other_settings_is_left_as_it_was(tmp_path):
    publish(tmp_path, "sample", Published("a", {}, settings={"labels.seed": 1}))
    before = published_path(tmp_path, "sample").read_bytes()
    publish(tmp_path, "sample", Published("a", {}, settings={}))
    assert published_path(tmp_path, "sample").read_bytes() == before
    publish(tmp_path, "sample", Published("b", {}, settings={}))
    assert read_published(tmp_path, "sample") == Published("b", {})


def test_settings_that_later_stages_ask_for_are_kept_up_to_date(tmp_path):
    def again(folder, seed):
        settings = {"infer.models": [folder], "labels.seed": seed}
        publish(tmp_path, "predictions", Published("a", {}, settings=settings), ["infer.models"])
        return read_published(tmp_path, "predictions").settings

    assert again("/old", 1) == {"infer.models": ["/old"], "labels.seed": 1}
    assert again("/old", 2) == {"infer.models": ["/old"], "labels.seed": 1}
    assert again("/new", 2) == {"infer.models": ["/new"], "labels.seed": 2}


def test_a_network_may_be_outdated_but_not_another_one(tmp_path):
    publish(tmp_path, "labels", Published("first", {}))
    publish(tmp_path, "model", Published("network", {}, {"labels": "first"}))
    predictions = Published("p", {}, as_is={"model": "network"})
    publish(tmp_path, "predictions", predictions)
    catalogue = Published("c", {}, {"predictions": "p"})
    assert replaced_source(tmp_path, "catalogue", catalogue) is None
    publish(tmp_path, "labels", Published("second", {}))
    model = read_published(tmp_path, "model")
    assert replaced_source(tmp_path, "model", model) == ("model", "labels")
    assert replaced_source(tmp_path, "catalogue", catalogue) is None
    publish(tmp_path, "model", Published("other", {}, {"labels": "second"}))
    assert replaced_source(tmp_path, "catalogue", catalogue) == ("predictions", "model")
