"""Training of the parts of BESA-Diff."""
