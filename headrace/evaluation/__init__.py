"""How good a recommender is: metrics, protocols and what to compare with."""
