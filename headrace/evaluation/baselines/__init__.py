"""What a model is set beside: classic recommenders, behind one interface."""
