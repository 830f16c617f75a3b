"""The effect that Segment Editor loads from its file."""
