"""Settings by environment: development (the default of the command line), test, production."""
