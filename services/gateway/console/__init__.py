"""For those who run the shop: how lists come about, and how the system is."""
