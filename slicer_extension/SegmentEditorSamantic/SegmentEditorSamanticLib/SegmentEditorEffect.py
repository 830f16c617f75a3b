"""The effect "Samantic" of Segment Editor: the module's prompts, for the segment that is selected."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
import vtk
from SamanticLib.panel_effect import EffectPanel
from SamanticLib.panel_tools import EVENTS
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect


class SegmentEditorEffect(AbstractScriptedSegmentEditorEffect):
    """Slicer's side of the effect; what it does is in SamanticLib.panel_effect."""

    def __init__(self, scriptedEffect):  # noqa: N803 - the name in Slicer
        scriptedEffect.name = "Samantic"
        scriptedEffect.perSegment = True
        scriptedEffect.requireSegments = True
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)
        self.panel = None

    def clone(self):
        """Return another effect of this kind, for another editor."""
        import qSlicerSegmentationsEditorEffectsPythonQt  # only there in a running Slicer

        cloned = qSlicerSegmentationsEditorEffectsPythonQt.qSlicerSegmentEditorScriptedEffect(None)
        cloned.setPythonSource(__file__.replace("\\", "/"))
        return cloned

    def icon(self):
        """Return the effect's icon."""
        return qt.QIcon(str(Path(__file__).with_suffix(".png")))

    def helpText(self):  # noqa: N802
        """Return what the editor shows under the effect's name."""
        return (
            "<html>Mark the object with points, boxes, scribbles or a lasso; a Samantic server outlines it in the "
            "selected segment.<br>Connect to a server in the module <b>Samantic</b> first.</html>"
        )

    def setupOptionsFrame(self):  # noqa: N802
        """Build the options."""
        desk = slicer.util.getModuleWidget("Samantic").desk
        resources = Path(slicer.util.modulePath("Samantic")).parent / "Resources"
        widget = slicer.util.loadUI(str(resources / "UI" / "SamanticEffect.ui"))
        self.scriptedEffect.addOptionsWidget(widget)
        ui = slicer.util.childWidgetVariables(widget)
        self.panel = EffectPanel(ui, desk, self.scriptedEffect.saveStateForUndo)

    def activate(self):
        """The effect is chosen."""
        self.follow_editor()

    def deactivate(self):
        """Another effect is chosen."""
        if self.panel is not None:
            self.panel.deactivate()

    def updateGUIFromMRML(self):  # noqa: N802
        """Another segment, segmentation or volume may be selected."""
        if self.panel is not None and self.panel.active:
            self.follow_editor()

    def follow_editor(self):
        """Draw into what the editor has selected."""
        node = self.scriptedEffect.parameterSetNode()
        if self.panel is None or node is None:
            return
        segment_id = node.GetSelectedSegmentID() or ""
        self.panel.activate(node.GetSegmentationNode(), segment_id, node.GetSourceVolumeNode())

    def processInteractionEvents(self, callerInteractor, eventId, viewWidget):  # noqa: N802, N803
        """Take the mouse in slice views while a tool is in the hand; return whether the event was used."""
        if self.panel is None or viewWidget.className() != "qMRMLSliceWidget":
            return False
        event = vtk.vtkCommand.GetStringFromEventId(eventId)
        if event not in EVENTS:
            return False
        return self.panel.strokes.handle(event, callerInteractor.GetEventPosition(), viewWidget.mrmlSliceNode())
