"""Sub-commands of `headrace`: arguments in, lines and an exit status out."""
