"""BESA-Diff: generate, refine and segment dermoscopic images."""
