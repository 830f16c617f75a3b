"""What is drawn and not submitted yet, kept on the disk of the workbench."""
