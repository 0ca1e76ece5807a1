"""Everything that is derived, made anew from `interactions` and `items`: docs/operations.md."""
