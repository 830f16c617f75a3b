"""Which image a person should label next."""
