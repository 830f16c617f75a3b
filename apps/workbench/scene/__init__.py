"""The MRML scene of the workbench."""
