"""Lists of many people in one stream."""
