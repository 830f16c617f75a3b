"""The module Samantic of 3D Slicer: click on a structure, get its mask and its name. All of it is in SamanticLib."""

from __future__ import annotations

from pathlib import Path

import slicer
from SamanticLib.panel_desk import Desk, Surroundings
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

HELP = """
Click on a structure in an image and get its mask, its name, and what else is in the slice. Needs a Samantic server
(<code>samantic serve FOLDER</code>). Not a medical device: look at every mask before you use it.
"""


class Samantic(ScriptedLoadableModule):
    """What Slicer's list of modules shows."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "Samantic"
        parent.categories = ["Segmentation"]
        parent.dependencies = ["Segmentations", "Markups", "Terminologies"]
        parent.contributors = ["The Samantic developers"]
        parent.helpText = HELP
        parent.acknowledgementText = "Samantic builds on SEG-SAM, BESA-Diff, MONAI Label and 3D Slicer."
        slicer.app.connect("startupCompleted()", self.load_terminology)

    def load_terminology(self):
        """Offer Samantic's classes wherever Slicer lets a person choose a terminology."""
        path = Path(__file__).parent / "Resources" / "Samantic.term.json"
        slicer.modules.terminologies.logic().LoadTerminologyFromFile(str(path))


class SamanticWidget(ScriptedLoadableModuleWidget):
    """The panel; `desk` is what the Segment Editor effect shares."""

    desk = None

    def setup(self):
        """Build the panel when the module is opened first."""
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/Samantic.ui"))
        self.layout.addWidget(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.desk = Desk(slicer.util.childWidgetVariables(widget), surroundings())
        self.shortcuts = self.desk.panel.shortcuts(slicer.util.mainWindow())

    def enter(self):
        """The module is shown."""
        self.shortcuts.enable(True)

    def exit(self):
        """Another module is shown."""
        self.shortcuts.enable(False)
        self.desk.panel.leave()

    def cleanup(self):
        """Slicer closes, or the module is loaded anew."""
        if self.desk is not None:
            self.desk.close()
            self.desk = None


class SamanticTest(ScriptedLoadableModuleTest):
    """What "Reload and Test" runs; more is in Testing/Python."""

    def runTest(self):  # noqa: N802 - the name that Slicer calls
        """The panel can be opened and says what to do first."""
        self.setUp()
        slicer.util.selectModule("Samantic")
        view = slicer.util.getModuleWidget("Samantic").desk.session.view
        self.assertTrue(view.next_step)
        self.delayDisplay("The panel opens.")


def surroundings() -> Surroundings:
    """Return what the module needs of the running Slicer."""
    return Surroundings(
        scene=slicer.mrmlScene,
        # Numbered photographs beside each other are not one volume.
        load_volume=lambda path: slicer.util.loadVolume(str(path), {"singleFile": True, "show": False}),
        export=lambda node, path: slicer.util.exportNode(node, str(path)),
        show=lambda volume: slicer.util.setSliceViewerLayers(background=volume, fit=True),
        views=slice_views,
        confirm=lambda text: bool(slicer.util.confirmOkCancelDisplay(text, windowTitle="Samantic")),
        tell=lambda text: slicer.util.showStatusMessage(text, 5000),
    )


def slice_views():
    """Yield the interactor and the slice node of every slice view."""
    manager = slicer.app.layoutManager()
    for name in manager.sliceViewNames():
        widget = manager.sliceWidget(name)
        yield widget.sliceView().interactor(), widget.mrmlSliceNode()
