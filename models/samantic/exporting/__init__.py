"""Labelled studies in the formats of others: nnU-Net, COCO, 3D Slicer's segmentations."""
