"""Registers Samantic's effect with Segment Editor."""

from __future__ import annotations

from pathlib import Path

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModule


class SegmentEditorSamantic(ScriptedLoadableModule):
    """A hidden module; the effect itself is SegmentEditorSamanticLib/SegmentEditorEffect.py."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "SegmentEditorSamantic"
        parent.categories = ["Segmentation"]
        parent.dependencies = ["Segmentations", "Samantic"]
        parent.contributors = ["The Samantic developers"]
        parent.hidden = True
        parent.helpText = "Samantic's prompts inside Segment Editor."
        parent.acknowledgementText = ""
        slicer.app.connect("startupCompleted()", self.register_effect)

    def register_effect(self):
        """Register the effect once Slicer is up."""
        import qSlicerSegmentationsEditorEffectsPythonQt  # only there in a running Slicer

        effect = qSlicerSegmentationsEditorEffectsPythonQt.qSlicerSegmentEditorScriptedEffect(None)
        source = Path(__file__).parent / "SegmentEditorSamanticLib" / "SegmentEditorEffect.py"
        effect.setPythonSource(source.as_posix())
        effect.self().register()
