"""Training of the network for skin photographs."""
