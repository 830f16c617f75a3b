"""The browser workbench: 3D Slicer's core in a web page, with a Samantic server beside it."""
