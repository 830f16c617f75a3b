"""What the desktop extension and the browser workbench share: client, prompts, geometry, classes, segments, session."""
