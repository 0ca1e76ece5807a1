"""What was learned, as arrays by name: a training may start there. No service reads it."""

FILE = "weights.npz"
