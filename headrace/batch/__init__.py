"""Lists for everybody at once, from Postgres and a bundle: no service needs to run."""
