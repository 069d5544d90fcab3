"""The DenseSM networks: architecture, import, checkpoints, prediction and training."""
