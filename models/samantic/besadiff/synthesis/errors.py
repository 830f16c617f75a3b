"""Errors of synthesis, meant for people."""


class SynthesisError(ValueError):
    """Pairs cannot be synthesised into this folder or from these parts; the message says why and what to do."""


class OtherSettingsError(SynthesisError):
    """The folder was begun with another seed, other classes, weights or rules."""
