"""How good the lists are, measured on what people do next: docs/decisions/0012."""
