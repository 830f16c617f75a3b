"""Training of the network for breast ultrasound."""
