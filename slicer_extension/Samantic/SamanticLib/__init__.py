"""What the desktop extension and the browser workbench share: the client, prompts, geometry, classes, segments, the session."""
