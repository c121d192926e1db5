from pipeline.settings.changed import changed_settings
from pipeline.settings.load import load_settings


def test_only_what_was_changed_is_named(tmp_path):
    given = ["sample.snr_g_min=30", "network.hidden=[8]", "cluster.workers=3", "simulate.out='x'"]
    settings = load_settings(None, given, root=tmp_path / "secret-place")
    assert changed_settings(settings) == {"sample.snr_g_min": 30.0, "network.hidden": [8]}
