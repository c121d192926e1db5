import numpy as np

from pipeline.network.optimizer import learning_rate
from pipeline.settings.training import TrainingSettings


def test_schedule():
    cosine = TrainingSettings(learning_rate=2.0, schedule="cosine", warmup_share=0.1)
    rates = [learning_rate(cosine, step, 100) for step in range(100)]
    assert rates[0] < 0.2 and np.argmax(rates) in (9, 10) and max(rates) > 1.9
    assert all(np.diff(rates)[10:] < 0) and 0 < rates[-1] < 0.01
    constant = TrainingSettings(learning_rate=2.0)
    assert {learning_rate(constant, step, 100) for step in range(100)} == {2.0}
