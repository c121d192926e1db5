"""The residual network: model, training, checkpoints, prediction."""
