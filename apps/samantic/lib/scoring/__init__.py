"""How good the models are, measured on what people have labelled."""
